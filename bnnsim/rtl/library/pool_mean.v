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
    localparam integer NEEDED    = SUM_BITS + FINER + $clog2(TAPS + 1) + 3;
    localparam integer WIDE      = NEEDED > OUTPUT_BITS + 2 ? NEEDED : OUTPUT_BITS + 2;
    localparam integer HALF_AT   = DROP > 0 ? DROP - 1 : 0;
    localparam integer DIVISOR   = ROUNDS != 0 ? 2 * TAPS : TAPS;
    localparam integer PULL      = DIVISOR - 1; // towards minus infinity
    localparam signed [WIDE-1:0] BY   = DIVISOR[WIDE-1:0];
    localparam signed [WIDE-1:0] HALF = DROP > 0 ? {{(WIDE - 1) {1'b0}}, 1'b1} << HALF_AT : {WIDE{1'b0}};

    wire [WIDE-1:0]        long;
    wire signed [WIDE-1:0] finer = long << FINER;
    wire signed [WIDE-1:0] dividend;
    resize #(.FROM(SUM_BITS), .TO(WIDE), .SIGNED(SUM_SIGNED)) widened (.value(sum), .result(long));
    generate
        if (ROUNDS != 0) begin : rounds
            wire signed [WIDE-1:0] twice = (finer << 1) + TAPS[WIDE-1:0];
            assign dividend = twice[WIDE-1] ? twice - PULL[WIDE-1:0] : twice;
        end else begin : cuts_off
            wire unused_pull = &{1'b0, PULL[0]};
            assign dividend = finer;
        end
    endgenerate
    wire signed [WIDE-1:0] quotient = dividend / BY;
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
