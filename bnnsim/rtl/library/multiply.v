// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// Multiply: multiplies LANES elements of two inputs; the product is exact.
//
// Program: a step a word, which reads one of both inputs and writes their products. Three stages: operands,
// products, exit. One where a factor is a sign.
// Input i's elements have INPUT_BITS[32*i +: 32] bits and are INPUT_SIGNED[i] or not; where INPUT_BIPOLAR[i],
// bit 1 is +1 and bit 0 is -1. The inputs' words stand side by side, the first in the lowest bits.

module multiply #(
    parameter        LANES          = 2,
    parameter        WORDS          = 4,
    parameter [63:0] INPUT_BITS     = {2{32'd4}},
    parameter [1:0]  INPUT_SIGNED   = 2'b11,
    parameter [1:0]  INPUT_BIPOLAR  = 2'b00,
    parameter        OUTPUT_BITS    = 8,
    parameter        PIPELINE_DEPTH = 3,
    parameter        FREEZES        = 0,
    parameter        FRAME_BITS     = 32,
    parameter        IN_WIDTH       = 16 // of both inputs' words together
) (
    input  wire                         clk,
    input  wire                         rst,
    input  wire [FRAME_BITS-1:0]        frames,
    input  wire [1:0]                   in_valid,
    output wire [1:0]                   in_ready,
    input  wire [IN_WIDTH-1:0]          in_data,
    output wire                         out_valid,
    input  wire                         out_ready,
    output wire [LANES*OUTPUT_BITS-1:0] out_data
);
    localparam integer FIRST_BITS  = INPUT_BITS[31:0];
    localparam integer SECOND_BITS = INPUT_BITS[63:32];
    localparam integer SECOND_AT   = LANES * FIRST_BITS;
    localparam integer WORD        = LANES * OUTPUT_BITS;

    wire                    step, advance, run_over;
    wire [PIPELINE_DEPTH:0] full;
    wire                    unused_full = &{1'b0, full};

    frame_end #(.PASSES(WORDS), .COUNTS(FREEZES), .FRAME_BITS(FRAME_BITS)) counter (
        .clk(clk), .rst(rst), .frames(frames), .pass_ends(step), .run_over(run_over));
    pipeline_control #(.PIPELINE_DEPTH(PIPELINE_DEPTH), .FREEZES(FREEZES), .INPUTS(2)) control (
        .clk(clk), .rst(rst), .reads(1'b1), .writes(1'b1), .run_over(run_over),
        .in_valid(in_valid), .in_ready(in_ready), .out_valid(out_valid), .out_ready(out_ready),
        .step(step), .advance(advance), .full(full));

    // the operands as they are multiplied: those of this step, or those that the first stage holds
    wire [IN_WIDTH-1:0] operands;
    wire [WORD-1:0]     products;
    genvar lane;
    generate
        for (lane = 0; lane < LANES; lane = lane + 1) begin : element
            wire [FIRST_BITS-1:0]  first  = operands[lane*FIRST_BITS +: FIRST_BITS];
            wire [SECOND_BITS-1:0] second = operands[SECOND_AT + lane*SECOND_BITS +: SECOND_BITS];
            wire [OUTPUT_BITS-1:0] product_of;
            assign products[lane*OUTPUT_BITS +: OUTPUT_BITS] = product_of;
            if (INPUT_BIPOLAR != 2'b00) begin : sign
                // the number, or what it is below zero
                localparam integer FROM = INPUT_BIPOLAR[0] ? SECOND_BITS : FIRST_BITS;
                wire [FROM-1:0]        number;
                wire                   minus;
                wire [OUTPUT_BITS-1:0] wide;
                if (INPUT_BIPOLAR[0]) begin : of_first
                    assign number = second;
                    assign minus  = !first[0];
                end else begin : of_second
                    assign number = first;
                    assign minus  = !second[0];
                end
                element_value #(.FROM(FROM), .TO(OUTPUT_BITS), .BIPOLAR(INPUT_BIPOLAR == 2'b11 ? 1 : 0),
                                .SIGNED(INPUT_BIPOLAR[0] ? INPUT_SIGNED[1] : INPUT_SIGNED[0])) value_of (
                    .element(number), .value(wide));
                assign product_of = minus ? {OUTPUT_BITS{1'b0}} - wide : wide;
            end else begin : numbers
                localparam integer A_BITS = FIRST_BITS + (INPUT_SIGNED[0] ? 0 : 1);
                localparam integer B_BITS = SECOND_BITS + (INPUT_SIGNED[1] ? 0 : 1);
                wire signed [A_BITS-1:0]        a;
                wire signed [B_BITS-1:0]        b;
                wire signed [A_BITS+B_BITS-1:0] whole = a * b;
                resize #(.FROM(FIRST_BITS), .TO(A_BITS), .SIGNED(INPUT_SIGNED[0])) a_value (
                    .value(first), .result(a));
                resize #(.FROM(SECOND_BITS), .TO(B_BITS), .SIGNED(INPUT_SIGNED[1])) b_value (
                    .value(second), .result(b));
                resize #(.FROM(A_BITS + B_BITS), .TO(OUTPUT_BITS), .SIGNED(1)) cut (
                    .value(whole), .result(product_of));
            end
        end
        if (PIPELINE_DEPTH == 1) begin : of_signs
            reg [WORD-1:0] word;
            assign operands = in_data;
            assign out_data = word;
            always @(posedge clk) if (full[0] & advance) word <= products;
        end else begin : of_numbers
            reg [IN_WIDTH-1:0] held;
            reg [WORD-1:0]     product, word;
            assign operands = held;
            assign out_data = word;
            always @(posedge clk) begin
                if (full[0] & advance) held <= in_data;
                if (full[1] & advance) product <= products;
                if (full[2] & advance) word <= product;
            end
        end
    endgenerate
endmodule
