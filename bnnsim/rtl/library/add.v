// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// Add: adds LANES elements of every input.
//
// Program: a step a word, which reads one of every input and writes their sums. One stage.
// Input i's elements have INPUT_BITS[32*i +: 32] bits and are INPUT_SIGNED[i] or not; where INPUT_BIPOLAR[i],
// bit 1 is +1 and bit 0 is -1. The inputs' words stand side by side, the first in the lowest bits.

module add #(
    parameter                 INPUTS        = 2,
    parameter                 LANES         = 2,
    parameter                 WORDS         = 4,
    parameter [32*INPUTS-1:0] INPUT_BITS    = {INPUTS{32'd4}},
    parameter [INPUTS-1:0]    INPUT_SIGNED  = {INPUTS{1'b1}},
    parameter [INPUTS-1:0]    INPUT_BIPOLAR = {INPUTS{1'b0}},
    parameter                 OUTPUT_BITS   = 5,
    parameter                 FREEZES       = 0,
    parameter                 FRAME_BITS    = 32,
    parameter                 IN_WIDTH      = 16 // of all inputs' words together
) (
    input  wire                         clk,
    input  wire                         rst,
    input  wire [FRAME_BITS-1:0]        frames,
    input  wire [INPUTS-1:0]            in_valid,
    output wire [INPUTS-1:0]            in_ready,
    input  wire [IN_WIDTH-1:0]          in_data,
    output wire                         out_valid,
    input  wire                         out_ready,
    output wire [LANES*OUTPUT_BITS-1:0] out_data
);
    // Where input i's word begins.
    function integer word_base(input integer index);
        integer i;
        begin
            word_base = 0;
            for (i = 0; i < index; i = i + 1) word_base = word_base + LANES * INPUT_BITS[32*i +: 32];
        end
    endfunction

    wire       step, advance, run_over;
    wire [1:0] full;
    wire       unused_full = full[1];

    frame_end #(.PASSES(WORDS), .COUNTS(FREEZES), .FRAME_BITS(FRAME_BITS)) counter (
        .clk(clk), .rst(rst), .frames(frames), .pass_ends(step), .run_over(run_over));
    pipeline_control #(.PIPELINE_DEPTH(1), .FREEZES(FREEZES), .INPUTS(INPUTS)) control (
        .clk(clk), .rst(rst), .reads(1'b1), .writes(1'b1), .run_over(run_over),
        .in_valid(in_valid), .in_ready(in_ready), .out_valid(out_valid), .out_ready(out_ready),
        .step(step), .advance(advance), .full(full));

    // the operands as numbers, input by input
    wire [INPUTS*LANES*OUTPUT_BITS-1:0] numbers;
    genvar i, lane;
    generate
        for (i = 0; i < INPUTS; i = i + 1) begin : operand
            localparam integer BITS = INPUT_BITS[32*i +: 32];
            for (lane = 0; lane < LANES; lane = lane + 1) begin : element
                element_value #(.FROM(BITS), .TO(OUTPUT_BITS), .SIGNED(INPUT_SIGNED[i]),
                         .BIPOLAR(INPUT_BIPOLAR[i])) number (
                    .element(in_data[word_base(i) + lane*BITS +: BITS]),
                    .value(numbers[(i*LANES + lane)*OUTPUT_BITS +: OUTPUT_BITS]));
            end
        end
    endgenerate

    reg [LANES*OUTPUT_BITS-1:0] sums;
    integer                     j, k;
    always @*
        for (j = 0; j < LANES; j = j + 1) begin
            sums[j*OUTPUT_BITS +: OUTPUT_BITS] = numbers[j*OUTPUT_BITS +: OUTPUT_BITS];
            for (k = 1; k < INPUTS; k = k + 1)
                sums[j*OUTPUT_BITS +: OUTPUT_BITS] = sums[j*OUTPUT_BITS +: OUTPUT_BITS]
                    + numbers[(k*LANES + j)*OUTPUT_BITS +: OUTPUT_BITS];
        end

    reg [LANES*OUTPUT_BITS-1:0] word;
    assign out_data = word;
    always @(posedge clk) if (full[0] & advance) word <= sums;
endmodule
