// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// One lane of a scale unit: three of its four stages (the first holds the operands).

module scale_lane #(
    parameter IS_AFFINE           = 1,
    parameter INPUT_BITS          = 8,
    parameter INPUT_SIGNED        = 1,
    parameter INPUT_BIPOLAR       = 0,
    parameter INPUT_FRACTION      = 0,
    parameter OUTPUT_BITS         = 8,
    parameter OUTPUT_SIGNED       = 1,
    parameter OUTPUT_FRACTION     = 0,
    parameter MULTIPLIER_BITS     = 8,
    parameter MULTIPLIER_SIGNED   = 1,
    parameter MULTIPLIER_FRACTION = 4,
    parameter BIAS_BITS           = 8,
    parameter BIAS_SIGNED         = 1,
    parameter SHIFTS              = 0,
    parameter SHIFT_BITS          = 0
) (
    input  wire                       clk,
    input  wire                       advance,
    input  wire [3:1]                 full,
    input  wire [INPUT_BITS-1:0]      operand,
    input  wire [MULTIPLIER_BITS-1:0] multiplier,
    input  wire [BIAS_BITS-1:0]       bias,
    output wire [OUTPUT_BITS-1:0]     value
);
    // All numbers in two's complement; products are exact.
    localparam integer X_BITS       = INPUT_BIPOLAR != 0 ? 2 : INPUT_SIGNED != 0 ? INPUT_BITS : INPUT_BITS + 1;
    localparam integer FACTOR_BITS  = MULTIPLIER_SIGNED != 0 ? MULTIPLIER_BITS : MULTIPLIER_BITS + 1;
    localparam integer PRODUCT_BITS = X_BITS + FACTOR_BITS;
    // Points: where the sum is shifted by, and by how much what is added to the product goes left.
    localparam integer DROP        = SHIFTS != 0 ? SHIFT_BITS : INPUT_FRACTION + MULTIPLIER_FRACTION - OUTPUT_FRACTION;
    localparam integer RIGHT       = DROP > 0 ? DROP : 0;
    localparam integer LEFT        = DROP < 0 ? -DROP : 0;
    localparam integer ADDEND_LEFT = SHIFTS != 0 ? 0 : IS_AFFINE != 0 ? INPUT_FRACTION : MULTIPLIER_FRACTION;
    localparam integer ADDEND_BITS = (IS_AFFINE != 0 ? BIAS_BITS : X_BITS) + 1 + ADDEND_LEFT;
    localparam integer WIDER       = PRODUCT_BITS > ADDEND_BITS ? PRODUCT_BITS : ADDEND_BITS;
    localparam integer WIDEST      = WIDER > RIGHT + 1 ? WIDER : RIGHT + 1;
    localparam integer SUM_BITS    = WIDEST + 2;
    localparam integer HALF_AT     = RIGHT > 0 ? RIGHT - 1 : 0;
    localparam [SUM_BITS-1:0] HALF = RIGHT > 0 ? {{(SUM_BITS - 1) {1'b0}}, 1'b1} << HALF_AT : {SUM_BITS{1'b0}};

    wire signed [X_BITS-1:0]      x;
    wire signed [FACTOR_BITS-1:0] factor;
    element_value #(.FROM(INPUT_BITS), .TO(X_BITS), .SIGNED(INPUT_SIGNED),
             .BIPOLAR(INPUT_BIPOLAR)) x_value (.element(operand), .value(x));
    element_value #(.FROM(MULTIPLIER_BITS), .TO(FACTOR_BITS), .SIGNED(MULTIPLIER_SIGNED),
             .BIPOLAR(0)) factor_value (.element(multiplier), .value(factor));
    wire signed [PRODUCT_BITS-1:0] x_long      = {{FACTOR_BITS{x[X_BITS-1]}}, x};
    wire signed [PRODUCT_BITS-1:0] factor_long = {{X_BITS{factor[FACTOR_BITS-1]}}, factor};

    reg signed [PRODUCT_BITS-1:0] product;
    always @(posedge clk) if (full[1] & advance) product <= x_long * factor_long;

    // What comes to the product: the bias; of a PReLU x itself, in the product's place.
    wire [SUM_BITS-1:0] product_long = {{(SUM_BITS - PRODUCT_BITS) {product[PRODUCT_BITS-1]}}, product};
    reg  [SUM_BITS-1:0] sum;
    generate
        if (IS_AFFINE != 0) begin : affine
            reg  [BIAS_BITS-1:0] bias_held;
            wire [SUM_BITS-1:0]  bias_long;
            element_value #(.FROM(BIAS_BITS), .TO(SUM_BITS), .SIGNED(BIAS_SIGNED), .BIPOLAR(0))
                bias_value (.element(bias_held), .value(bias_long));
            wire signed [SUM_BITS-1:0] rounded = product_long + HALF;
            wire signed [SUM_BITS-1:0] shifted = rounded >>> RIGHT;
            always @(posedge clk) begin
                if (full[1] & advance) bias_held <= bias;
                if (full[2] & advance)
                    sum <= SHIFTS != 0 ? shifted + bias_long : rounded + (bias_long << ADDEND_LEFT);
            end
        end else begin : prelu
            wire unused_bias = &{1'b0, bias};
            reg  [X_BITS-1:0]   x_held;
            wire [SUM_BITS-1:0] x_sum = {{(SUM_BITS - X_BITS) {x_held[X_BITS-1]}}, x_held};
            always @(posedge clk) begin
                if (full[1] & advance) x_held <= x;
                if (full[2] & advance)
                    sum <= (x_held[X_BITS-1] ? product_long : x_sum << ADDEND_LEFT) + HALF;
            end
        end
    endgenerate

    // Shifted to the output's point and saturated.
    localparam integer EXACT_BITS = SUM_BITS + LEFT + 1;
    localparam integer LONG_BITS  = EXACT_BITS > OUTPUT_BITS + 1 ? EXACT_BITS : OUTPUT_BITS + 1;
    wire [LONG_BITS-1:0] sum_long = {{(LONG_BITS - SUM_BITS) {sum[SUM_BITS-1]}}, sum};
    wire signed [LONG_BITS-1:0] to_left  = sum_long << LEFT;
    wire signed [LONG_BITS-1:0] to_right = to_left >>> RIGHT;
    wire [LONG_BITS-1:0]        exact    = SHIFTS != 0 ? sum_long : to_right;
    wire                        negative = exact[LONG_BITS-1];
    wire                 fits;
    wire [OUTPUT_BITS-1:0] least, most;
    generate
        if (OUTPUT_SIGNED != 0) begin : signed_exit
            assign fits  = exact[LONG_BITS-1:OUTPUT_BITS-1] == {(LONG_BITS - OUTPUT_BITS + 1) {negative}};
            assign least = {1'b1, {(OUTPUT_BITS - 1) {1'b0}}};
            assign most  = {1'b0, {(OUTPUT_BITS - 1) {1'b1}}};
        end else begin : unsigned_exit
            assign fits  = exact[LONG_BITS-1:OUTPUT_BITS] == {(LONG_BITS - OUTPUT_BITS) {1'b0}};
            assign least = {OUTPUT_BITS{1'b0}};
            assign most  = {OUTPUT_BITS{1'b1}};
        end
    endgenerate

    reg [OUTPUT_BITS-1:0] exit;
    always @(posedge clk)
        if (full[3] & advance) exit <= fits ? exact[OUTPUT_BITS-1:0] : negative ? least : most;
    assign value = exit;
endmodule
