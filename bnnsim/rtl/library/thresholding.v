// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// Thresholding unit: PE channels a cycle.
//
// Program: one word a step, read and written; channel fold after channel fold. Thresholds fire where the
// value is as large or larger.

module thresholding #(
    parameter PE              = 1,
    parameter CHANNELS        = 1,
    parameter INPUT_BITS      = 2,
    parameter INPUT_SIGNED    = 1,
    parameter THRESHOLDS      = 1,
    parameter THRESHOLD_BITS  = 2,
    parameter LOWEST          = 0,
    parameter OUTPUT_BITS     = 1,
    parameter PIPELINE_DEPTH  = 4,
    parameter FREEZES         = 0,
    parameter THRESHOLDS_FILE = "thresholds"
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
    localparam integer WORD = PE * OUTPUT_BITS;

    wire                                    step, advance;
    wire [PIPELINE_DEPTH:0]                 full;
    reg  [PE*INPUT_BITS-1:0]                operand;
    wire [PE*THRESHOLDS*THRESHOLD_BITS-1:0] limits;
    wire [WORD-1:0]                         levels;

    pipeline_control #(.PIPELINE_DEPTH(PIPELINE_DEPTH), .FREEZES(FREEZES)) control (
        .clk(clk), .rst(rst), .reads(1'b1), .writes(1'b1), .run_over(1'b0),
        .in_valid(in_valid), .in_ready(in_ready), .out_valid(out_valid), .out_ready(out_ready),
        .step(step), .advance(advance), .full(full));

    always @(posedge clk) if (step) operand <= in_data;

    threshold_memory #(.WIDTH_BITS(PE*THRESHOLDS*THRESHOLD_BITS), .DEPTH_WORDS(CHANNELS / PE),
                       .FILE(THRESHOLDS_FILE)) memory (
        .clk(clk), .rst(rst), .comes(step), .leaves(full[1] & advance), .word(limits));

    genvar p, s;
    generate
        for (p = 0; p < PE; p = p + 1) begin : pe
            threshold_levels #(
                .SUM_BITS(INPUT_BITS), .SIGNED(INPUT_SIGNED), .THRESHOLDS(THRESHOLDS),
                .THRESHOLD_BITS(THRESHOLD_BITS), .LOWEST(LOWEST), .OUTPUT_BITS(OUTPUT_BITS)
            ) fired (
                .sum(operand[p*INPUT_BITS +: INPUT_BITS]),
                .limits(limits[p*THRESHOLDS*THRESHOLD_BITS +: THRESHOLDS*THRESHOLD_BITS]),
                .level(levels[p*OUTPUT_BITS +: OUTPUT_BITS]));
        end
        // stage 1 holds the operand, all others what fired
        for (s = 2; s <= PIPELINE_DEPTH; s = s + 1) begin : stage
            reg [WORD-1:0] word;
            if (s == 2) begin : first
                always @(posedge clk) if (full[1] & advance) word <= levels;
            end else begin : later
                always @(posedge clk) if (full[s-1] & advance) word <= stage[s-1].word;
            end
        end
    endgenerate
    assign out_data = stage[PIPELINE_DEPTH].word;
    wire unused_control = &{1'b0, full};
endmodule
