// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// The end of a run of a unit whose frame is PASSES passes through its inner counters: counts passes and
// frames where the unit COUNTS them; else (a flushing unit that reads in its first step) the run never ends.

module frame_end #(
    parameter PASSES     = 1,
    parameter COUNTS     = 1,
    parameter FRAME_BITS = 32
) (
    input  wire                  clk,
    input  wire                  rst,
    input  wire [FRAME_BITS-1:0] frames,
    input  wire                  pass_ends,
    output wire                  run_over
);
    localparam integer LAST      = PASSES - 1;
    localparam integer PASS_BITS = PASSES > 1 ? $clog2(PASSES) : 1;

    generate
        if (COUNTS == 0) begin : endless
            assign run_over = 1'b0;
            wire unused_control = clk & rst & (&frames) & pass_ends;
        end else begin : counted
            reg [PASS_BITS-1:0] pass;
            wire                last = pass == LAST[PASS_BITS-1:0];

            always @(posedge clk)
                if (rst) pass <= {PASS_BITS{1'b0}};
                else if (pass_ends) pass <= last ? {PASS_BITS{1'b0}} : pass + 1'b1;

            frame_counter #(.FRAME_BITS(FRAME_BITS)) counter (
                .clk(clk), .rst(rst), .frames(frames), .frame_ends(pass_ends & last),
                .run_over(run_over));
        end
    endgenerate
endmodule
