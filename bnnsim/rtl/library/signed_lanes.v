// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// Sum of a PE's lanes where weights (WEIGHT_BIPOLAR) or inputs are signs: the numbers of the other operand,
// added or subtracted. The sum is value, to be negated where `negative`.

module signed_lanes #(
    parameter SIMD           = 1,
    parameter INPUT_BITS     = 2,
    parameter INPUT_SIGNED   = 0,
    parameter WEIGHT_BITS    = 1,
    parameter WEIGHT_SIGNED  = 1,
    parameter WEIGHT_BIPOLAR = 1,
    parameter FROM           = WEIGHT_BIPOLAR != 0 ? INPUT_BITS : WEIGHT_BITS,
    parameter BITS           = FROM + ((WEIGHT_BIPOLAR != 0 ? INPUT_SIGNED : WEIGHT_SIGNED) != 0 ? 0 : 1),
    parameter RESULT         = BITS + (SIMD > 1 ? $clog2(SIMD) : 0)
) (
    input  wire [SIMD*INPUT_BITS-1:0]  operand,
    input  wire [SIMD*WEIGHT_BITS-1:0] weights,
    output wire [RESULT-1:0]           value,
    output wire                        negative
);
    localparam IS_SIGNED = WEIGHT_BIPOLAR != 0 ? INPUT_SIGNED : WEIGHT_SIGNED;

    wire [SIMD*BITS-1:0] numbers; // one bit wider where they have no sign
    wire [SIMD-1:0]      minus;
    genvar t;
    generate
        for (t = 0; t < SIMD; t = t + 1) begin : lane
            wire [FROM-1:0] number;
            if (WEIGHT_BIPOLAR != 0) begin : signed_input
                assign number   = operand[t*INPUT_BITS +: INPUT_BITS];
                assign minus[t] = !weights[t];
            end else begin : signed_weight
                assign number   = weights[t*WEIGHT_BITS +: WEIGHT_BITS];
                assign minus[t] = !operand[t];
            end
            resize #(.FROM(FROM), .TO(BITS), .SIGNED(IS_SIGNED)) widened (
                .value(number), .result(numbers[t*BITS +: BITS]));
        end
    endgenerate
    signed_sum #(.LANES(SIMD), .BITS(BITS)) lanes (
        .numbers(numbers), .minus(minus), .value(value), .negative(negative));
endmodule
