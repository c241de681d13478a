// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// Sum of LANES numbers of BITS, as a balanced tree (the module is its own half).

module sum_tree #(
    parameter LANES      = 2,
    parameter BITS       = 1,
    parameter SIGNED     = 0,
    parameter RESULT     = BITS + (LANES > 1 ? $clog2(LANES) : 0)
) (
    input  wire [LANES*BITS-1:0] values,
    output wire [RESULT-1:0]     sum
);
    generate
        if (LANES == 1) begin : leaf
            assign sum = values;
        end else begin : node
            localparam LEFT       = (LANES + 1) / 2;
            localparam RIGHT      = LANES - LEFT;
            localparam LEFT_BITS  = BITS + (LEFT > 1 ? $clog2(LEFT) : 0);
            localparam RIGHT_BITS = BITS + (RIGHT > 1 ? $clog2(RIGHT) : 0);
            wire [LEFT_BITS-1:0]  left;
            wire [RIGHT_BITS-1:0] right;

            sum_tree #(.LANES(LEFT), .BITS(BITS), .SIGNED(SIGNED)) left_half (
                .values(values[LEFT*BITS-1:0]), .sum(left));
            sum_tree #(.LANES(RIGHT), .BITS(BITS), .SIGNED(SIGNED)) right_half (
                .values(values[LANES*BITS-1:LEFT*BITS]), .sum(right));
            wire left_sign  = SIGNED != 0 & left[LEFT_BITS-1];
            wire right_sign = SIGNED != 0 & right[RIGHT_BITS-1];
            assign sum = {{RESULT-LEFT_BITS{left_sign}}, left} + {{RESULT-RIGHT_BITS{right_sign}}, right};
        end
    endgenerate
endmodule
