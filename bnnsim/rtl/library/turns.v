// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// A counter of COUNT turns, over and over; `last` in the last of them.

module turns #(
    parameter COUNT = 2
) (
    input  wire clk,
    input  wire rst,
    input  wire next,
    output wire last
);
    localparam integer BITS = COUNT > 1 ? $clog2(COUNT) : 1;
    localparam integer LAST = COUNT - 1;

    generate
        if (COUNT == 1) begin : one
            assign last = 1'b1;
            wire unused_control = clk & rst & next;
        end else begin : several
            reg [BITS-1:0] turn;
            assign last = turn == LAST[BITS-1:0];
            always @(posedge clk)
                if (rst) turn <= {BITS{1'b0}};
                else if (next) turn <= last ? {BITS{1'b0}} : turn + 1'b1;
        end
    endgenerate
endmodule
