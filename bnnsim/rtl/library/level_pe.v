// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// One PE of a residual MVAU whose levels are worth integers: its sum, and what its thresholds make of it.
// Where weights or inputs are signs, numbers are added or subtracted. Nothing is rounded. A number of
// thresholds that fire leaves as it is, or a bit a level, the upper first.

module level_pe #(
    parameter SIMD           = 1,
    parameter INPUT_BITS     = 1,
    parameter INPUT_SIGNED   = 0,
    parameter INPUT_BIPOLAR  = 0,
    parameter WEIGHT_BITS    = 1,
    parameter WEIGHT_SIGNED  = 0,
    parameter WEIGHT_BIPOLAR = 1,
    parameter IS_PLAIN       = 0, // a word counts its own value, no mean
    parameter SUM_BITS       = 8,
    parameter MEAN_BITS      = 4,
    parameter THRESHOLDS     = 0,
    parameter THRESHOLD_BITS = 8,
    parameter LOWEST         = 0,
    parameter LEVELS_OUT     = 1,
    parameter OUTPUT_BITS    = 1,
    parameter COUNT          = 1, // a register behind the count, what fires, what leaves
    parameter PRODUCT        = 1,
    parameter MOVED          = 1
) (
    input  wire                          clk,
    input  wire                          advance,
    input  wire                          uses,   // a word is added to the sum
    input  wire                          begins, // a sum begins
    input  wire [SIMD*INPUT_BITS-1:0]    operand,
    input  wire [SIMD*WEIGHT_BITS-1:0]   weights,
    input  wire [MEAN_BITS-1:0]          in_mean,
    input  wire [(THRESHOLDS > 0 ? THRESHOLDS : 1)*THRESHOLD_BITS-1:0] limits,
    input  wire                          exits,
    input  wire                          is_first_level,
    output wire [OUTPUT_BITS-1:0]        value
);
    localparam integer IS_BINARY = INPUT_BIPOLAR != 0 && WEIGHT_BIPOLAR != 0 ? 1 : 0;
    localparam integer HAS_SIGNS = INPUT_BIPOLAR != 0 || WEIGHT_BIPOLAR != 0 ? 1 : 0;
    localparam integer X_BITS    = INPUT_BITS + (INPUT_SIGNED != 0 ? 0 : 1);
    localparam integer W_BITS    = WEIGHT_BITS + (WEIGHT_SIGNED != 0 ? 0 : 1);
    localparam integer TERM_BITS = HAS_SIGNS == 0 ? X_BITS + W_BITS : WEIGHT_BIPOLAR != 0 ? X_BITS : W_BITS;
    localparam integer FOUND_BITS = $clog2(SIMD + 1);
    localparam integer PARTIAL_BITS =
        IS_BINARY != 0 ? FOUND_BITS + 1 : TERM_BITS + (SIMD > 1 ? $clog2(SIMD) : 0);

    wire [PARTIAL_BITS-1:0] now, partial;
    wire                    negative, subtracts;
    genvar s;
    generate
        if (IS_BINARY != 0) begin : binary
            wire [FOUND_BITS-1:0] found;
            match_count #(.LANES(SIMD), .BITS(FOUND_BITS)) count (
                .a(operand), .b(weights), .found(found));
            assign now      = {found, 1'b0} - SIMD[PARTIAL_BITS-1:0];
            assign negative = 1'b0;
        end else if (HAS_SIGNS != 0) begin : signs
            signed_lanes #(
                .SIMD(SIMD), .INPUT_BITS(INPUT_BITS), .INPUT_SIGNED(INPUT_SIGNED),
                .WEIGHT_BITS(WEIGHT_BITS), .WEIGHT_SIGNED(WEIGHT_SIGNED), .WEIGHT_BIPOLAR(WEIGHT_BIPOLAR)
            ) lanes (.operand(operand), .weights(weights), .value(now), .negative(negative));
        end else begin : products
            wire [SIMD*TERM_BITS-1:0] terms;
            for (s = 0; s < SIMD; s = s + 1) begin : lane
                wire signed [X_BITS-1:0] x;
                wire signed [W_BITS-1:0] w;
                wire signed [TERM_BITS-1:0] term = x * w;
                resize #(.FROM(INPUT_BITS), .TO(X_BITS), .SIGNED(INPUT_SIGNED)) x_value (
                    .value(operand[s*INPUT_BITS +: INPUT_BITS]), .result(x));
                resize #(.FROM(WEIGHT_BITS), .TO(W_BITS), .SIGNED(WEIGHT_SIGNED)) w_value (
                    .value(weights[s*WEIGHT_BITS +: WEIGHT_BITS]), .result(w));
                assign terms[s*TERM_BITS +: TERM_BITS] = term;
            end
            sum_tree #(.LANES(SIMD), .BITS(TERM_BITS), .SIGNED(1)) tree (.values(terms), .sum(now));
            assign negative = 1'b0;
        end
    endgenerate

    wire [MEAN_BITS-1:0] mean;
    wire [SUM_BITS-1:0]  addend;
    held #(.WIDTH_BITS(1 + PARTIAL_BITS + MEAN_BITS), .HOLDS(COUNT)) count_register (
        .clk(clk), .advance(advance), .given({negative, now, in_mean}), .value({subtracts, partial, mean}));
    generate
        if (IS_PLAIN != 0) begin : plain
            resize #(.FROM(PARTIAL_BITS), .TO(SUM_BITS), .SIGNED(1)) longer (
                .value(partial), .result(addend));
            wire unused_mean = &{1'b0, mean};
        end else begin : of_level
            localparam integer LONG_BITS = PARTIAL_BITS + MEAN_BITS + 1;
            wire signed [PARTIAL_BITS-1:0] count = partial;
            wire signed [MEAN_BITS:0]      worth = {1'b0, mean};
            wire signed [LONG_BITS-1:0]    long  = count * worth;
            resize #(.FROM(LONG_BITS), .TO(SUM_BITS), .SIGNED(1)) longer (.value(long), .result(addend));
        end
    endgenerate
    reg  [SUM_BITS-1:0] sum;
    wire [SUM_BITS-1:0] so_far = begins ? {SUM_BITS{1'b0}} : sum; // a word is added as a sum begins
    always @(posedge clk)
        if (advance & uses) sum <= subtracts ? so_far - addend : so_far + addend;

    // What leaves: a number, all of it or its upper bit first.
    localparam integer MADE_BITS = LEVELS_OUT > 1 ? LEVELS_OUT : OUTPUT_BITS;
    wire [MADE_BITS-1:0] made, made_held, moved;
    generate
        if (THRESHOLDS > 0) begin : activation
            threshold_levels #(.SUM_BITS(SUM_BITS), .SIGNED(1), .THRESHOLDS(THRESHOLDS),
                               .THRESHOLD_BITS(THRESHOLD_BITS), .LOWEST(LOWEST),
                               .OUTPUT_BITS(MADE_BITS)) thresholds (
                .sum(sum), .limits(limits), .level(made));
        end else begin : score
            element_value #(.FROM(SUM_BITS), .TO(MADE_BITS), .SIGNED(1), .BIPOLAR(0)) score_value (
                .element(sum), .value(made));
            wire unused_limits = &{1'b0, limits};
        end
    endgenerate
    held #(.WIDTH_BITS(MADE_BITS), .HOLDS(PRODUCT)) made_register (
        .clk(clk), .advance(advance), .given(made), .value(made_held));
    held #(.WIDTH_BITS(MADE_BITS), .HOLDS(MOVED)) moved_register (
        .clk(clk), .advance(advance), .given(made_held), .value(moved));
    generate
        if (LEVELS_OUT > 1) begin : levels
            reg  [MADE_BITS-1:0] rest;
            reg                  exit;
            wire [MADE_BITS-1:0] left = is_first_level ? moved : rest;
            always @(posedge clk)
                if (exits) begin
                    exit <= left[MADE_BITS-1];
                    rest <= left << 1;
                end
            assign value = {OUTPUT_BITS{exit}}; // one bit
        end else begin : whole
            reg [MADE_BITS-1:0] exit;
            wire unused_level = is_first_level;
            always @(posedge clk) if (exits) exit <= moved;
            assign value = exit;
        end
    endgenerate
endmodule
