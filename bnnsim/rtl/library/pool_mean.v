// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// The mean of TAPS numbers from their sum. The sum is shifted left by FINER and divided: the fraction is cut
// off towards zero, with ROUNDS rounded half up. DROP bits behind the point go, halves up, and the rest is
// saturated. Division by a constant: a product with its reciprocal, registers for it stand behind (pool.v).

module pool_mean #(
    parameter SUM_BITS      = 8,
    parameter SUM_SIGNED    = 1,
    parameter TAPS          = 4,
    parameter ROUNDS        = 0,
    parameter FINER         = 0,
    parameter DROP          = 0,
    parameter OUTPUT_BITS   = 8,
    parameter OUTPUT_SIGNED = 1
) (
    input  wire [SUM_BITS-1:0]    sum,
    output wire [OUTPUT_BITS-1:0] mean
);
    // Numbers before the division have FINER bits more; of so many bits, without a sign, is the largest.
    localparam integer LARGEST   = SUM_BITS + FINER - (SUM_SIGNED != 0 ? 1 : 0);
    localparam integer IS_POWER  = TAPS == 1 << $clog2(TAPS) ? 1 : 0;
    localparam integer NEEDED    = LARGEST + 2;
    localparam integer WIDE      = NEEDED > OUTPUT_BITS + 2 ? NEEDED : OUTPUT_BITS + 2;
    localparam integer HALF_AT   = DROP > 0 ? DROP - 1 : 0;
    localparam signed [WIDE-1:0] HALF = DROP > 0 ? {{(WIDE - 1) {1'b0}}, 1'b1} << HALF_AT : {WIDE{1'b0}};

    wire signed [WIDE-1:0] quotient;
    generate
        if (IS_POWER != 0) begin : shifted
            // A half more where it rounds, else what moves numbers below zero towards it.
            localparam integer SHIFT = $clog2(TAPS);
            localparam integer LONG  = WIDE > 32 ? WIDE : 32;
            localparam [LONG-1:0] MORE = {{(LONG - 31) {1'b0}}, TAPS[30:0]} >> (ROUNDS != 0 ? 1 : 0);
            localparam [LONG-1:0] PULL = MORE - (ROUNDS != 0 ? 0 : 1);
            wire [WIDE-1:0]        long;
            wire signed [WIDE-1:0] finer = long << FINER;
            wire signed [WIDE-1:0] moved = finer + (ROUNDS != 0 | finer[WIDE-1] ? PULL[WIDE-1:0] : {WIDE{1'b0}});
            resize #(.FROM(SUM_BITS), .TO(WIDE), .SIGNED(SUM_SIGNED)) widened (.value(sum), .result(long));
            assign quotient = moved >>> SHIFT;
        end else begin : multiplied
            // The product with the least number above 2^POINT / TAPS is so little too large that what is
            // cut off makes up for it, but below zero, where one is added behind; where it rounds what is
            // added beside the half. The quotient has FEW bits.
            localparam integer QUOTIENT     = LARGEST - $clog2(TAPS) + 2 + (ROUNDS != 0 ? 1 : 0);
            localparam integer FEW          = QUOTIENT > 2 ? QUOTIENT : 2;
            localparam integer POINT        = LARGEST + $clog2(TAPS) + (ROUNDS != 0 ? 2 : 0);
            localparam integer OPERAND_BITS = SUM_BITS + (SUM_SIGNED != 0 ? 0 : 1);
            localparam integer FACTOR_BITS  = LARGEST + (ROUNDS != 0 ? 2 : 0) + 3;
            localparam integer LONG_BITS    = OPERAND_BITS + FINER + FACTOR_BITS;
            localparam integer            LAST    = POINT > 30 ? POINT + 1 : 31;
            localparam [LAST:0]           ONE     = {{LAST{1'b0}}, 1'b1};
            localparam [LAST:0]           INVERSE = (ONE << POINT) / {{(LAST - 30) {1'b0}}, TAPS[30:0]} + ONE;
            localparam [LONG_BITS-1:0]    UNIT    = {{(LONG_BITS - 1) {1'b0}}, 1'b1};
            localparam [LONG_BITS-1:0]    HALF_ONE =
                ROUNDS != 0 ? (UNIT << (POINT - 1)) + (UNIT << LARGEST) : {LONG_BITS{1'b0}};
            wire signed [OPERAND_BITS-1:0] operand;
            wire signed [FACTOR_BITS-1:0]  factor = INVERSE[FACTOR_BITS-1:0];
            wire signed [LONG_BITS-1:0]    product = operand * factor;
            wire signed [LONG_BITS-1:0]    moved   = (product << FINER) + HALF_ONE;
            wire signed [LONG_BITS-1:0]    below   = moved >>> POINT;
            wire [FEW-1:0]                 cut;
            wire                           pulls   = ROUNDS == 0 & operand[OPERAND_BITS-1];
            wire [FEW-1:0]                 pulled  = cut + {{(FEW - 1) {1'b0}}, pulls};
            resize #(.FROM(SUM_BITS), .TO(OPERAND_BITS), .SIGNED(SUM_SIGNED)) widened (
                .value(sum), .result(operand));
            resize #(.FROM(LONG_BITS), .TO(FEW), .SIGNED(1)) shorter (.value(below), .result(cut));
            resize #(.FROM(FEW), .TO(WIDE), .SIGNED(1)) longer (.value(pulled), .result(quotient));
        end
    endgenerate
    wire signed [WIDE-1:0] rounded  = quotient + HALF;
    wire signed [WIDE-1:0] exact    = rounded >>> DROP;
    wire                   negative = exact[WIDE-1];
    wire                   fits;
    wire [OUTPUT_BITS-1:0] least, most;
    generate
        if (OUTPUT_SIGNED != 0) begin : signed_exit
            assign fits  = exact[WIDE-1:OUTPUT_BITS-1] == {(WIDE - OUTPUT_BITS + 1) {negative}};
            assign least = {1'b1, {(OUTPUT_BITS - 1) {1'b0}}};
            assign most  = {1'b0, {(OUTPUT_BITS - 1) {1'b1}}};
        end else begin : unsigned_exit
            assign fits  = exact[WIDE-1:OUTPUT_BITS] == {(WIDE - OUTPUT_BITS) {1'b0}};
            assign least = {OUTPUT_BITS{1'b0}};
            assign most  = {OUTPUT_BITS{1'b1}};
        end
    endgenerate
    assign mean = fits ? exact[OUTPUT_BITS-1:0] : negative ? least : most;
endmodule
