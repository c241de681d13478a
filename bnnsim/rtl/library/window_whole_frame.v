// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// Sliding window, style `no_overlap`: a whole frame, then its windows.
//
// Program of a frame: WORDS_IN steps that read, then WORDS_OUT steps that write. Four stages: the word's
// address, the frame buffer's answer, a register, the exit.

module window_whole_frame #(
    parameter CHANNELS        = 2,
    parameter HEIGHT          = 4,
    parameter WIDTH           = 4,
    parameter KERNEL_HEIGHT   = 3,
    parameter KERNEL_WIDTH    = 3,
    parameter STRIDE_HEIGHT   = 1,
    parameter STRIDE_WIDTH    = 1,
    parameter DILATION_HEIGHT = 1,
    parameter DILATION_WIDTH  = 1,
    parameter GROUPS          = 1,
    parameter LANES           = 1,
    parameter ELEMENT_BITS    = 1,
    parameter OUT_HEIGHT      = 2,
    parameter OUT_WIDTH       = 2,
    parameter FREEZES         = 0,
    parameter FRAME_BITS      = 32
) (
    input  wire                          clk,
    input  wire                          rst,
    input  wire [FRAME_BITS-1:0]         frames,
    input  wire                          in_valid,
    output wire                          in_ready,
    input  wire [LANES*ELEMENT_BITS-1:0] in_data,
    output wire                          out_valid,
    input  wire                          out_ready,
    output wire [LANES*ELEMENT_BITS-1:0] out_data
);
    localparam integer WIDTH_BITS     = LANES * ELEMENT_BITS;
    localparam integer CHANNEL_FOLD   = CHANNELS / LANES;
    localparam integer WORDS_IN       = HEIGHT * WIDTH * CHANNEL_FOLD;
    localparam integer ADDRESS_BITS   = WORDS_IN > 1 ? $clog2(WORDS_IN) : 1;
    localparam integer PIPELINE_DEPTH = 4;

    wire                    step, advance, run_over, reads_last, writes_last;
    wire [PIPELINE_DEPTH:0] full;
    wire [ADDRESS_BITS-1:0] address;
    reg                     writes; // the frame is in; its windows go out

    turns #(.COUNT(WORDS_IN)) read_words (
        .clk(clk), .rst(rst), .next(step & !writes), .last(reads_last));
    frame_end #(.PASSES(1), .COUNTS(FREEZES), .FRAME_BITS(FRAME_BITS)) counter (
        .clk(clk), .rst(rst), .frames(frames), .pass_ends(step & writes & writes_last),
        .run_over(run_over));
    pipeline_control #(.PIPELINE_DEPTH(PIPELINE_DEPTH), .FREEZES(FREEZES)) control (
        .clk(clk), .rst(rst), .reads(!writes), .writes(writes), .run_over(run_over),
        .in_valid(in_valid), .in_ready(in_ready), .out_valid(out_valid), .out_ready(out_ready),
        .step(step), .advance(advance), .full(full));

    always @(posedge clk)
        if (rst) writes <= 1'b0;
        else if (step) writes <= writes ? !writes_last : reads_last;

    window_walk #(
        .CHANNEL_FOLD(CHANNEL_FOLD), .GROUPS(GROUPS), .WIDTH(WIDTH),
        .KERNEL_HEIGHT(KERNEL_HEIGHT), .KERNEL_WIDTH(KERNEL_WIDTH),
        .STRIDE_HEIGHT(STRIDE_HEIGHT), .STRIDE_WIDTH(STRIDE_WIDTH),
        .DILATION_HEIGHT(DILATION_HEIGHT), .DILATION_WIDTH(DILATION_WIDTH),
        .OUT_HEIGHT(OUT_HEIGHT), .OUT_WIDTH(OUT_WIDTH),
        .BUFFER_WORDS(WORDS_IN), .ADDRESS_BITS(ADDRESS_BITS)
    ) walk (.clk(clk), .rst(rst), .next(step & writes), .address(address), .frame_ends(writes_last));

    window_frame_buffer #(
        .BUFFER_WORDS(WORDS_IN), .WIDTH_BITS(WIDTH_BITS), .ADDRESS_BITS(ADDRESS_BITS)
    ) stages (
        .clk(clk), .rst(rst), .advance(advance), .full(full),
        .write(step & !writes), .frame_ends(step & !writes & reads_last), .in_data(in_data),
        .address(address), .word(out_data));
endmodule
