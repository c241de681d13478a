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
            wire [OUTPUT_BITS-1:0] first, second;
            element_value #(.FROM(FIRST_BITS), .TO(OUTPUT_BITS), .SIGNED(INPUT_SIGNED[0]),
                     .BIPOLAR(INPUT_BIPOLAR[0])) first_value (
                .element(operands[lane*FIRST_BITS +: FIRST_BITS]), .value(first));
            element_value #(.FROM(SECOND_BITS), .TO(OUTPUT_BITS), .SIGNED(INPUT_SIGNED[1]),
                     .BIPOLAR(INPUT_BIPOLAR[1])) second_value (
                .element(operands[SECOND_AT + lane*SECOND_BITS +: SECOND_BITS]), .value(second));
            assign products[lane*OUTPUT_BITS +: OUTPUT_BITS] = first * second;
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
