// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// Sum of LANES numbers, each with a sign of its own: value, to be negated where `negative`. Every node adds
// or subtracts what its halves found and hands the sign of the first on, so no number is ever negated.

module signed_sum #(
    parameter LANES  = 2,
    parameter BITS   = 2, // of a number in two's complement
    parameter RESULT = BITS + (LANES > 1 ? $clog2(LANES) : 0)
) (
    input  wire [LANES*BITS-1:0] numbers,
    input  wire [LANES-1:0]      minus,
    output wire [RESULT-1:0]     value,
    output wire                  negative
);
    generate
        if (LANES == 1) begin : leaf
            assign value    = numbers;
            assign negative = minus[0];
        end else begin : node
            localparam LEFT       = (LANES + 1) / 2;
            localparam RIGHT      = LANES - LEFT;
            localparam LEFT_BITS  = BITS + (LEFT > 1 ? $clog2(LEFT) : 0);
            localparam RIGHT_BITS = BITS + (RIGHT > 1 ? $clog2(RIGHT) : 0);
            wire [LEFT_BITS-1:0]  left;
            wire [RIGHT_BITS-1:0] right;
            wire                  left_negative, right_negative;

            signed_sum #(.LANES(LEFT), .BITS(BITS)) left_half (
                .numbers(numbers[LEFT*BITS-1:0]), .minus(minus[LEFT-1:0]),
                .value(left), .negative(left_negative));
            signed_sum #(.LANES(RIGHT), .BITS(BITS)) right_half (
                .numbers(numbers[LANES*BITS-1:LEFT*BITS]), .minus(minus[LANES-1:LEFT]),
                .value(right), .negative(right_negative));
            wire              differ = left_negative ^ right_negative;
            wire [RESULT-1:0] a = {{RESULT-LEFT_BITS{left[LEFT_BITS-1]}}, left};
            wire [RESULT-1:0] b = {{RESULT-RIGHT_BITS{right[RIGHT_BITS-1]}}, right};
            assign value    = differ ? a - b : a + b;
            assign negative = left_negative;
        end
    endgenerate
endmodule
