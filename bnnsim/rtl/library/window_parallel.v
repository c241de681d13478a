// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// Sliding window, styles `parallel` and `line_buffer`: whole windows at once, out of line buffers.
//
// Program of a frame: a step a word in; the window of LANES channels leaves with the word that completes
// it. GAP_STEPS steps without a word follow (`parallel`: one; `line_buffer`: none). One stage. Kernel
// positions stand side by side, row by row, the first in the lowest bits.

module window_parallel #(
    parameter CHANNELS        = 2,
    parameter HEIGHT          = 4,
    parameter WIDTH           = 4,
    parameter KERNEL_HEIGHT   = 3,
    parameter KERNEL_WIDTH    = 3,
    parameter STRIDE_HEIGHT   = 1,
    parameter STRIDE_WIDTH    = 1,
    parameter DILATION_HEIGHT = 1,
    parameter DILATION_WIDTH  = 1,
    parameter LANES           = 1,
    parameter ELEMENT_BITS    = 1,
    parameter GAP_STEPS       = 1
) (
    input  wire                                                     clk,
    input  wire                                                     rst,
    input  wire                                                     in_valid,
    output wire                                                     in_ready,
    input  wire [LANES*ELEMENT_BITS-1:0]                            in_data,
    output wire                                                     out_valid,
    input  wire                                                     out_ready,
    output wire [KERNEL_HEIGHT*KERNEL_WIDTH*LANES*ELEMENT_BITS-1:0] out_data
);
    localparam integer WIDTH_BITS    = LANES * ELEMENT_BITS;
    localparam integer CHANNEL_FOLD  = CHANNELS / LANES;
    localparam integer WINDOW_PIXELS = KERNEL_HEIGHT * KERNEL_WIDTH;
    localparam integer REACH_HEIGHT  = (KERNEL_HEIGHT - 1) * DILATION_HEIGHT;
    localparam integer REACH_WIDTH   = (KERNEL_WIDTH - 1) * DILATION_WIDTH;
    // words between one kernel position and the next, in a row and from row to row
    localparam integer COLUMN_WORDS = DILATION_WIDTH * CHANNEL_FOLD;
    localparam integer ROW_WORDS    = (DILATION_HEIGHT * WIDTH - REACH_WIDTH) * CHANNEL_FOLD;

    wire       step, advance, is_gap, gap_ends;
    wire [1:0] full;
    wire       fold_last, column_last, row_last, column_completes, row_completes;
    wire       reads       = !is_gap;
    wire       column_ends = step & reads & fold_last;
    wire       row_ends    = column_ends & column_last;

    turns #(.COUNT(CHANNEL_FOLD)) fold (
        .clk(clk), .rst(rst), .next(step & reads), .last(fold_last));
    turns #(.COUNT(WIDTH)) column (
        .clk(clk), .rst(rst), .next(column_ends), .last(column_last));
    turns #(.COUNT(HEIGHT)) row (.clk(clk), .rst(rst), .next(row_ends), .last(row_last));
    window_strides #(.REACH(REACH_WIDTH), .STRIDE(STRIDE_WIDTH)) columns (
        .clk(clk), .rst(rst), .next(column_ends), .restart(column_last),
        .completes(column_completes));
    window_strides #(.REACH(REACH_HEIGHT), .STRIDE(STRIDE_HEIGHT)) rows (
        .clk(clk), .rst(rst), .next(row_ends), .restart(row_last), .completes(row_completes));

    generate
        if (GAP_STEPS == 0) begin : without_gap
            wire unused_ends = gap_ends;
            assign is_gap   = 1'b0;
            assign gap_ends = 1'b0;
        end else begin : with_gap
            reg gap;
            assign is_gap = gap;
            turns #(.COUNT(GAP_STEPS)) gaps (
                .clk(clk), .rst(rst), .next(step & gap), .last(gap_ends));
            always @(posedge clk)
                if (rst) gap <= 1'b0;
                else if (step) gap <= gap ? !gap_ends : row_ends & row_last;
        end
    endgenerate

    pipeline_control #(.PIPELINE_DEPTH(1), .FREEZES(0)) control (
        .clk(clk), .rst(rst), .reads(reads), .writes(reads & row_completes & column_completes),
        .run_over(1'b0), .in_valid(in_valid), .in_ready(in_ready),
        .out_valid(out_valid), .out_ready(out_ready),
        .step(step), .advance(advance), .full(full));

    // Each kernel position shows the word that came so many words after the position before it.
    wire [WINDOW_PIXELS*WIDTH_BITS-1:0] window;
    assign window[(WINDOW_PIXELS-1)*WIDTH_BITS +: WIDTH_BITS] = in_data;
    genvar pixel;
    generate
        for (pixel = 0; pixel < WINDOW_PIXELS - 1; pixel = pixel + 1) begin : position
            localparam integer WORDS = pixel % KERNEL_WIDTH == KERNEL_WIDTH - 1 ? ROW_WORDS : COLUMN_WORDS;
            word_delay #(.WORDS(WORDS), .WIDTH_BITS(WIDTH_BITS)) delay (
                .clk(clk), .rst(rst), .next(step & reads),
                .word(window[(pixel+1)*WIDTH_BITS +: WIDTH_BITS]),
                .delayed(window[pixel*WIDTH_BITS +: WIDTH_BITS]));
        end
    endgenerate

    reg [WINDOW_PIXELS*WIDTH_BITS-1:0] exit;
    always @(posedge clk) if (full[0] & advance) exit <= window;
    assign out_data = exit;
    wire unused_full = full[1];
endmodule
