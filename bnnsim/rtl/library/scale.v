// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// Scale: each element by its channel's numbers, PE channels a word, in fixed point.
//
// Program: a step a word, which reads and writes one. Four stages: operands (x and the channels' numbers),
// products, sums, the rounded and saturated exit.
//
// IS_AFFINE: scale * x + bias; else x, or slope * x where x is negative. Without SHIFTS the exact sum, with
// x's INPUT_FRACTION and the numbers' MULTIPLIER_FRACTION bits behind the point, is rounded once to
// OUTPUT_FRACTION. With SHIFTS the product is shifted right by SHIFT_BITS, halves up, before the bias is
// added. Saturated to MINIMUM .. MAXIMUM.

module scale #(
    parameter IS_AFFINE           = 1,
    parameter PE                  = 1,
    parameter CHANNELS            = 2,
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
    parameter SHIFT_BITS          = 0,
    parameter MULTIPLIER_FILE     = "scale",
    parameter BIAS_FILE           = "bias"
) (
    input  wire                      clk,
    input  wire                      rst,
    input  wire                      in_valid,
    output wire                      in_ready,
    input  wire [PE*INPUT_BITS-1:0]  in_data,
    output wire                      out_valid,
    input  wire                      out_ready,
    output wire [PE*OUTPUT_BITS-1:0] out_data
);
    localparam integer FOLDS          = CHANNELS / PE;
    localparam integer FOLD_BITS      = FOLDS > 1 ? $clog2(FOLDS) : 1;
    localparam integer LAST_FOLD      = FOLDS - 1;
    localparam integer PIPELINE_DEPTH = 4;

    wire                          step, advance;
    wire [PIPELINE_DEPTH:0]       full;
    reg  [FOLD_BITS-1:0]          fold;
    reg  [PE*INPUT_BITS-1:0]      operands;
    wire [PE*MULTIPLIER_BITS-1:0] multipliers;
    wire [PE*BIAS_BITS-1:0]       biases;

    pipeline_control #(.PIPELINE_DEPTH(PIPELINE_DEPTH), .FREEZES(0)) control (
        .clk(clk), .rst(rst), .reads(1'b1), .writes(1'b1), .run_over(1'b0),
        .in_valid(in_valid), .in_ready(in_ready), .out_valid(out_valid), .out_ready(out_ready),
        .step(step), .advance(advance), .full(full));

    always @(posedge clk)
        if (rst) fold <= {FOLD_BITS{1'b0}};
        else if (step) fold <= fold == LAST_FOLD[FOLD_BITS-1:0] ? {FOLD_BITS{1'b0}} : fold + 1'b1;
    always @(posedge clk) if (full[0] & advance) operands <= in_data;

    rom #(.WIDTH_BITS(PE * MULTIPLIER_BITS), .DEPTH_WORDS(FOLDS), .ADDRESS_BITS(FOLD_BITS),
          .FILE(MULTIPLIER_FILE)) multiplier_memory (
        .clk(clk), .read(full[0] & advance), .address(fold), .word(multipliers));
    generate
        if (IS_AFFINE != 0) begin : with_bias
            rom #(.WIDTH_BITS(PE * BIAS_BITS), .DEPTH_WORDS(FOLDS), .ADDRESS_BITS(FOLD_BITS),
                  .FILE(BIAS_FILE)) bias_memory (
                .clk(clk), .read(full[0] & advance), .address(fold), .word(biases));
        end else begin : without_bias
            assign biases = {PE * BIAS_BITS{1'b0}};
        end
    endgenerate

    wire unused_full = full[4];

    genvar lane;
    generate
        for (lane = 0; lane < PE; lane = lane + 1) begin : element
            scale_lane #(
                .IS_AFFINE(IS_AFFINE), .INPUT_BITS(INPUT_BITS), .INPUT_SIGNED(INPUT_SIGNED),
                .INPUT_BIPOLAR(INPUT_BIPOLAR), .INPUT_FRACTION(INPUT_FRACTION),
                .OUTPUT_BITS(OUTPUT_BITS), .OUTPUT_SIGNED(OUTPUT_SIGNED),
                .OUTPUT_FRACTION(OUTPUT_FRACTION), .MULTIPLIER_BITS(MULTIPLIER_BITS), .MULTIPLIER_SIGNED(MULTIPLIER_SIGNED),
                .MULTIPLIER_FRACTION(MULTIPLIER_FRACTION), .BIAS_BITS(BIAS_BITS), .BIAS_SIGNED(BIAS_SIGNED),
                .SHIFTS(SHIFTS), .SHIFT_BITS(SHIFT_BITS)
            ) arithmetic (
                .clk(clk), .advance(advance), .full(full[3:1]),
                .operand(operands[lane*INPUT_BITS +: INPUT_BITS]),
                .multiplier(multipliers[lane*MULTIPLIER_BITS +: MULTIPLIER_BITS]),
                .bias(biases[lane*BIAS_BITS +: BIAS_BITS]),
                .value(out_data[lane*OUTPUT_BITS +: OUTPUT_BITS]));
        end
    endgenerate
endmodule
