// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// Frame counter of a unit that must know when its run is over: a freezing unit, which would else keep its
// last words, and one that reads or writes ahead. `frames` must stand before the reset ends.

module frame_counter #(
    parameter FRAME_BITS = 32
) (
    input  wire                  clk,
    input  wire                  rst,
    input  wire [FRAME_BITS-1:0] frames,
    input  wire                  frame_ends, // the step done in this cycle is a frame's last
    output wire                  run_over
);
    reg [FRAME_BITS-1:0] frames_left;

    assign run_over = frames_left == {FRAME_BITS{1'b0}};

    always @(posedge clk)
        if (rst) frames_left <= frames;
        else if (frame_ends) frames_left <= frames_left - 1'b1;
endmodule
