// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// Sliding window, style `full_frame_coupled`: a frame is shown while the rest of it is read.
//
// Program of a frame: AHEAD steps that read, a row more than the kernel reaches; then as many steps as
// words are left to read or are to be written, whichever are more: each reads one and writes one while
// there are any. Frames take turns in two frame buffers, so that the last words of one are still there
// when the next begins. Four stages: the word's address, the frame buffer's answer, a register, the exit.

module window_coupled_frames #(
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
    localparam integer WORDS_OUT      = OUT_HEIGHT * OUT_WIDTH * KERNEL_HEIGHT * KERNEL_WIDTH * CHANNEL_FOLD;
    localparam integer ROWS           = (KERNEL_HEIGHT - 1) * DILATION_HEIGHT + 2;
    localparam integer ROWS_AHEAD     = ROWS > HEIGHT ? HEIGHT : ROWS;
    localparam integer AHEAD          = ROWS_AHEAD * WIDTH * CHANNEL_FOLD;
    localparam integer REST           = WORDS_IN - AHEAD;
    localparam integer STEPS          = REST > WORDS_OUT ? REST : WORDS_OUT;
    localparam integer BOTH_FRAMES    = 2 * WORDS_IN;
    localparam integer ADDRESS_BITS   = $clog2(BOTH_FRAMES);
    localparam integer PIPELINE_DEPTH = 4;

    wire                    step, advance, run_over;
    wire                    ahead_ends, read_ends, write_ends, turn_ends;
    wire [PIPELINE_DEPTH:0] full;
    wire [ADDRESS_BITS-1:0] address;
    reg                     ahead;       // the first rows have been read
    reg                     has_read;    // all words of the frame
    reg                     has_written; // all its windows
    reg                     upper;       // the frame is in the upper half of the buffer

    wire reads  = !has_read;
    wire writes = ahead & !has_written;
    wire passes = ahead & turn_ends; // to the next frame

    turns #(.COUNT(AHEAD)) first_words (
        .clk(clk), .rst(rst), .next(step & !ahead), .last(ahead_ends));
    turns #(.COUNT(WORDS_IN)) read_words (
        .clk(clk), .rst(rst), .next(step & reads), .last(read_ends));
    turns #(.COUNT(STEPS)) steps (.clk(clk), .rst(rst), .next(step & ahead), .last(turn_ends));
    frame_end #(.PASSES(1), .COUNTS(FREEZES), .FRAME_BITS(FRAME_BITS)) counter (
        .clk(clk), .rst(rst), .frames(frames), .pass_ends(step & passes), .run_over(run_over));
    pipeline_control #(.PIPELINE_DEPTH(PIPELINE_DEPTH), .FREEZES(FREEZES)) control (
        .clk(clk), .rst(rst), .reads(reads), .writes(writes), .run_over(run_over),
        .in_valid(in_valid), .in_ready(in_ready), .out_valid(out_valid), .out_ready(out_ready),
        .step(step), .advance(advance), .full(full));

    localparam [ADDRESS_BITS-1:0] HALF = WORDS_IN[ADDRESS_BITS-1:0];
    always @(posedge clk)
        if (rst) begin
            ahead       <= 1'b0;
            has_read    <= 1'b0;
            has_written <= 1'b0;
            upper       <= 1'b0;
        end else if (step) begin
            if (passes) begin
                ahead       <= 1'b0;
                has_read    <= 1'b0;
                has_written <= 1'b0;
                upper       <= !upper;
            end else begin
                ahead       <= ahead | ahead_ends;
                has_read    <= has_read | (reads & read_ends);
                has_written <= has_written | (writes & write_ends);
            end
        end

    window_walk #(
        .CHANNEL_FOLD(CHANNEL_FOLD), .GROUPS(GROUPS), .WIDTH(WIDTH),
        .KERNEL_HEIGHT(KERNEL_HEIGHT), .KERNEL_WIDTH(KERNEL_WIDTH),
        .STRIDE_HEIGHT(STRIDE_HEIGHT), .STRIDE_WIDTH(STRIDE_WIDTH),
        .DILATION_HEIGHT(DILATION_HEIGHT), .DILATION_WIDTH(DILATION_WIDTH),
        .OUT_HEIGHT(OUT_HEIGHT), .OUT_WIDTH(OUT_WIDTH),
        .BUFFER_WORDS(BOTH_FRAMES), .ADDRESS_BITS(ADDRESS_BITS)
    ) walk (.clk(clk), .rst(rst), .next(step & writes), .address(address), .frame_ends(write_ends));

    window_frame_buffer #(
        .BUFFER_WORDS(BOTH_FRAMES), .WIDTH_BITS(WIDTH_BITS), .ADDRESS_BITS(ADDRESS_BITS)
    ) stages (
        .clk(clk), .rst(rst), .advance(advance), .full(full),
        .write(step & reads), .frame_ends(1'b0), .in_data(in_data),
        .address(upper ? address + HALF : address), .word(out_data));
endmodule
