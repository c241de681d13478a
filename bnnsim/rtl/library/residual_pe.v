// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// One PE of a residual MVAU: its sum, and the levels that it comes to.

module residual_pe #(
    parameter SIMD           = 1,
    parameter INPUT_BITS     = 1,
    parameter INPUT_SIGNED   = 0,
    parameter INPUT_BIPOLAR  = 0,
    parameter INPUT_FRACTION = 0,
    parameter IS_PLAIN       = 0,
    parameter HAS_ACTIVATION = 1,
    parameter OUTPUT_BITS    = 1,
    parameter COUNT          = 1, // a register behind the count, the product, the moved sum
    parameter PRODUCT        = 1,
    parameter MOVED          = 1
) (
    input  wire                       clk,
    input  wire                       advance,
    input  wire                       uses,   // a word is added to the sum
    input  wire                       begins, // a sum begins
    input  wire [SIMD*INPUT_BITS-1:0] operand,
    input  wire [SIMD-1:0]            weights,
    input  wire [23:0]                in_mean,
    input  wire [23:0]                alpha,
    input  wire [23:0]                bias,
    input  wire                       exits,
    input  wire                       is_first_level,
    input  wire [23:0]                out_mean,
    output wire [OUTPUT_BITS-1:0]     value
);
    localparam integer POINT = 8;
    localparam integer SHIFT = POINT - INPUT_FRACTION;

    // The lanes' matches, or the sum of their inputs with the weights' signs.
    localparam integer X_BITS       = INPUT_BIPOLAR != 0 ? 2 : INPUT_SIGNED != 0 ? INPUT_BITS + 1 : INPUT_BITS + 2;
    localparam integer PARTIAL_BITS = IS_PLAIN != 0 ? X_BITS + (SIMD > 1 ? $clog2(SIMD) : 0) : $clog2(SIMD + 1);
    wire [PARTIAL_BITS-1:0] found, partial;
    genvar s;
    generate
        if (IS_PLAIN != 0) begin : plain
            wire [SIMD*X_BITS-1:0] terms;
            for (s = 0; s < SIMD; s = s + 1) begin : lane
                wire [X_BITS-1:0] x;
                element_value #(.FROM(INPUT_BITS), .TO(X_BITS), .SIGNED(INPUT_SIGNED),
                                .BIPOLAR(INPUT_BIPOLAR)) x_value (
                    .element(operand[s*INPUT_BITS +: INPUT_BITS]), .value(x));
                assign terms[s*X_BITS +: X_BITS] = weights[s] ? x : {X_BITS{1'b0}} - x;
            end
            sum_tree #(.LANES(SIMD), .BITS(X_BITS), .SIGNED(1)) tree (.values(terms), .sum(found));
        end else begin : level
            match_count #(.LANES(SIMD), .BITS(PARTIAL_BITS)) count (
                .a(operand), .b(weights), .found(found));
        end
    endgenerate

    wire [23:0] mean, partial_long;
    held #(.WIDTH_BITS(PARTIAL_BITS + 24), .HOLDS(COUNT)) count_register (
        .clk(clk), .advance(advance), .given({found, in_mean}), .value({partial, mean}));
    resize #(.FROM(PARTIAL_BITS), .TO(24), .SIGNED(IS_PLAIN)) partial_value (
        .value(partial), .result(partial_long));
    wire [23:0] addend = IS_PLAIN != 0 ? partial_long << SHIFT : partial_long * mean;
    reg  [23:0] sum;
    always @(posedge clk)
        if (advance)
            sum <= (begins ? 24'd0 : sum) + (uses ? addend : 24'd0);

    generate
        if (HAS_ACTIVATION != 0) begin : activation
            // The sum times alpha has 16 bits behind the point; 24 of its bits are kept.
            wire [31:0] alpha_long = {{8{alpha[23]}}, alpha};
            wire [31:0] sum_long   = {{8{sum[23]}}, sum};
            wire [31:0] product;
            wire [23:0] bias_held, moved_now, moved;
            held #(.WIDTH_BITS(56), .HOLDS(PRODUCT)) product_register (
                .clk(clk), .advance(advance), .given({alpha_long * sum_long, bias}),
                .value({product, bias_held}));
            assign moved_now = product[31:8] + bias_held;
            held #(.WIDTH_BITS(24), .HOLDS(MOVED)) moved_register (
                .clk(clk), .advance(advance), .given(moved_now), .value(moved));
            wire unused_fraction = &{1'b0, product[7:0]};

            reg  [23:0] rest;
            wire [23:0] now   = is_first_level ? moved : rest;
            wire        fires = !now[23] & now != 24'd0;
            reg         exit;
            always @(posedge clk)
                if (exits) begin
                    exit <= fires;
                    rest <= fires ? now - out_mean : now + out_mean;
                end
            assign value = {OUTPUT_BITS{exit}}; // one bit
        end else begin : sums
            wire unused_numbers = &{1'b0, alpha, bias, out_mean, is_first_level};
            wire [23:0] product, moved;
            held #(.WIDTH_BITS(24), .HOLDS(PRODUCT)) product_register (
                .clk(clk), .advance(advance), .given(sum), .value(product));
            held #(.WIDTH_BITS(24), .HOLDS(MOVED)) moved_register (
                .clk(clk), .advance(advance), .given(product), .value(moved));
            wire [OUTPUT_BITS-1:0] score;
            element_value #(.FROM(24), .TO(OUTPUT_BITS), .SIGNED(1), .BIPOLAR(0)) score_value (
                .element(moved), .value(score));
            reg [OUTPUT_BITS-1:0] exit;
            always @(posedge clk) if (exits) exit <= score;
            assign value = exit;
        end
    endgenerate
endmodule
