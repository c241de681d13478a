// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// Pool over windows of KERNEL_HEIGHT x KERNEL_WIDTH pixels that do not overlap, LANES channels a word and
// CHANNEL_FOLD words a pixel. Columns and rows that fill no window are read and dropped.
//
// Program, FLOWS 0 (`line_buffered`), for every row of windows: KERNEL_HEIGHT times (a step that reads for
// each word of a row, then IDLE_STEPS without words); then a step that writes for each word of the pooled
// row, then IDLE_STEPS; at the end of a frame a step that reads for each word of a row that is dropped, and
// IDLE_STEPS. FLOWS 1 (`streaming`): a step a word in; a pooled pixel leaves with the pixel that
// completes its window. Two stages; of a mean whose division takes more, PIPELINE_DEPTH.
//
// What a window's pixels have come to stands in a memory, a word a pooled column, channel fold and level.
// FUNCTION 0: of one-bit elements the largest, in LEVELS levels, the first deciding (of one level, the OR).
// 1: of numbers the largest. 2: whether at least MAJORITY bits are 1. 3: the sum. 4: the mean (pool_mean.v).

module pool #(
    parameter FUNCTION      = 0,
    parameter LANES         = 2,
    parameter CHANNEL_FOLD  = 1,
    parameter HEIGHT        = 4,
    parameter WIDTH         = 4,
    parameter KERNEL_HEIGHT = 2,
    parameter KERNEL_WIDTH  = 2,
    parameter ELEMENT_BITS  = 1,
    parameter SIGNED        = 0,
    parameter BIPOLAR       = 0,
    parameter MAJORITY      = 2,
    parameter SUM_BITS      = 8,
    parameter OUTPUT_BITS   = ELEMENT_BITS,
    parameter OUTPUT_SIGNED = 0,
    parameter ROUNDS        = 0,
    parameter FINER         = 0,
    parameter DROP          = 0,
    parameter LEVELS        = 1,
    parameter FLOWS         = 0,
    parameter PIPELINE_DEPTH = 2,
    parameter IDLE_STEPS    = 3,
    parameter FREEZES       = 0,
    parameter FRAME_BITS    = 32
) (
    input  wire                             clk,
    input  wire                             rst,
    input  wire [FRAME_BITS-1:0]            frames,
    input  wire                             in_valid,
    output wire                             in_ready,
    input  wire [LANES*ELEMENT_BITS-1:0]    in_data,
    output wire                             out_valid,
    input  wire                             out_ready,
    output wire [LANES*OUTPUT_BITS-1:0]     out_data
);
    localparam integer OUT_WIDTH      = WIDTH / KERNEL_WIDTH;
    localparam integer ROWS           = HEIGHT / KERNEL_HEIGHT;
    localparam integer PIXEL_WORDS    = CHANNEL_FOLD * LEVELS;
    localparam integer REST_WORDS     = WIDTH % KERNEL_WIDTH * PIXEL_WORDS; // of a row, behind its windows
    localparam integer DROPPED_ROWS   = HEIGHT % KERNEL_HEIGHT;
    localparam integer ENTRIES        = OUT_WIDTH * PIXEL_WORDS;
    localparam integer ENTRY_BITS     = ENTRIES > 1 ? $clog2(ENTRIES) : 1;
    localparam integer LAST_ENTRY     = ENTRIES - 1;
    localparam integer MORE_WORDS     = PIXEL_WORDS - 1;
    localparam integer TAPS           = KERNEL_HEIGHT * KERNEL_WIDTH;
    localparam integer COUNT_BITS     = FUNCTION == 2 ? $clog2(TAPS + 1) : FUNCTION > 2 ? SUM_BITS : ELEMENT_BITS;
    localparam integer STATE_BITS     = LANES * COUNT_BITS;

    wire                    step, advance, run_over;
    wire [PIPELINE_DEPTH:0] full;
    wire                    word_last, level_last, column_last, out_column_last, row_last, pass_last;
    wire                    is_read, is_write; // the part of the program that reads, or writes out
    wire                    is_rest, drops;    // words behind a row's windows; rows behind a frame's
    wire                    pass_ends, dropping_ends;
    wire                    row_is_over;       // its idle steps too
    reg                     column_first, row_first, level_first;
    reg  [ENTRY_BITS-1:0]   entry;

    wire reading     = step & is_read;
    wire pools       = reading & !is_rest; // or walks a row that is dropped
    wire pixel_ends  = pools & word_last;
    wire window_ends = pixel_ends & column_last;
    wire windows_end = window_ends & out_column_last;
    wire row_ends;
    wire rows_end    = row_ends & row_last & !drops;
    wire out_ends    = step & is_write & entry == LAST_ENTRY[ENTRY_BITS-1:0];
    wire frame_ends  = DROPPED_ROWS != 0 ? dropping_ends : pass_ends & pass_last;

    turns #(.COUNT(PIXEL_WORDS)) pixel_word (.clk(clk), .rst(rst), .next(reading), .last(word_last));
    generate
        if (CHANNEL_FOLD == 1) begin : one_fold
            assign level_last = word_last;
        end else begin : many_folds
            turns #(.COUNT(LEVELS)) level (.clk(clk), .rst(rst), .next(reading), .last(level_last));
        end
    endgenerate
    turns #(.COUNT(KERNEL_WIDTH)) column (
        .clk(clk), .rst(rst), .next(pixel_ends), .last(column_last));
    turns #(.COUNT(OUT_WIDTH)) out_column (
        .clk(clk), .rst(rst), .next(window_ends), .last(out_column_last));
    turns #(.COUNT(KERNEL_HEIGHT)) row (
        .clk(clk), .rst(rst), .next(row_ends & !drops), .last(row_last));
    turns #(.COUNT(ROWS)) pass (.clk(clk), .rst(rst), .next(pass_ends), .last(pass_last));
    frame_end #(.COUNTS(FREEZES), .FRAME_BITS(FRAME_BITS)) counter (
        .clk(clk), .rst(rst), .frames(frames), .pass_ends(frame_ends), .run_over(run_over));
    pipeline_control #(.PIPELINE_DEPTH(PIPELINE_DEPTH), .FREEZES(FREEZES)) control (
        .clk(clk), .rst(rst), .reads(is_read),
        .writes(FLOWS != 0 ? row_last & column_last & !is_rest & !drops : is_write),
        .run_over(run_over), .in_valid(in_valid), .in_ready(in_ready),
        .out_valid(out_valid), .out_ready(out_ready),
        .step(step), .advance(advance), .full(full));

    generate
        if (REST_WORDS != 0) begin : with_rest
            reg  rest;
            wire rest_last;
            turns #(.COUNT(REST_WORDS)) rest_words (
                .clk(clk), .rst(rst), .next(reading & rest), .last(rest_last));
            assign is_rest  = rest;
            assign row_ends = reading & rest & rest_last;
            always @(posedge clk)
                if (rst) rest <= 1'b0;
                else if (reading) rest <= rest ? !rest_last : windows_end;
        end else begin : without_rest
            assign is_rest  = 1'b0;
            assign row_ends = windows_end;
        end
        if (FLOWS != 0) begin : flows
            wire unused_ends = &{1'b0, out_ends};
            assign is_read   = 1'b1;
            assign is_write  = 1'b0;
            assign pass_ends = rows_end;
            assign row_is_over = row_ends;
        end else begin : line_buffered
            localparam [1:0] READ = 0, READ_IDLE = 1, WRITE = 2, WRITE_IDLE = 3;
            reg  [1:0] part;
            reg        rows_are_in;
            wire       idle_ends;
            turns #(.COUNT(IDLE_STEPS)) idle (
                .clk(clk), .rst(rst), .next(step & part[0]), .last(idle_ends));
            assign is_read   = part == READ;
            assign is_write  = part == WRITE;
            assign pass_ends = step & part == WRITE_IDLE & idle_ends;
            assign row_is_over = step & part == READ_IDLE & idle_ends;
            always @(posedge clk)
                if (rst) begin
                    part        <= READ;
                    rows_are_in <= 1'b0;
                end else if (step) begin
                    if (row_ends) begin
                        part        <= READ_IDLE;
                        rows_are_in <= rows_end;
                    end
                    if (part == READ_IDLE & idle_ends) part <= rows_are_in ? WRITE : READ;
                    if (out_ends) part <= WRITE_IDLE;
                    if (pass_ends) part <= READ;
                end
        end
        if (DROPPED_ROWS != 0) begin : with_dropped
            reg  dropping;
            wire dropped_last;
            wire dropped_row_ends = row_is_over & dropping;
            turns #(.COUNT(DROPPED_ROWS)) dropped (
                .clk(clk), .rst(rst), .next(dropped_row_ends), .last(dropped_last));
            assign drops         = dropping;
            assign dropping_ends = dropped_row_ends & dropped_last;
            always @(posedge clk)
                if (rst) dropping <= 1'b0;
                else if (pass_ends & pass_last) dropping <= 1'b1;
                else if (dropping_ends) dropping <= 1'b0;
        end else begin : without_dropped
            wire unused_end = row_is_over;
            assign drops         = 1'b0;
            assign dropping_ends = 1'b0;
        end
    endgenerate

    // A window's words take the same entries again and again; those of the pooled row leave in turn.
    localparam [ENTRY_BITS-1:0] ZERO = {ENTRY_BITS{1'b0}};
    wire [ENTRY_BITS-1:0] next_entry = entry == LAST_ENTRY[ENTRY_BITS-1:0] ? ZERO : entry + 1'b1;
    always @(posedge clk)
        if (rst) begin
            entry        <= ZERO;
            column_first <= 1'b1;
            row_first    <= 1'b1;
            level_first  <= 1'b1;
        end else if (step) begin
            if (is_write | (pools & (!word_last | column_last))) entry <= next_entry;
            else if (pools) entry <= entry - MORE_WORDS[ENTRY_BITS-1:0];
            if (is_read) level_first <= level_last;
            if (pixel_ends) column_first <= column_last;
            if (row_ends & !drops) row_first <= row_last;
        end

    // A pooled word is looked up as it enters the exit, a step after its own, while nothing is read; one
    // that flows on is kept till then.
    wire [STATE_BITS-1:0] earlier, later, found;
    reg  [ENTRY_BITS-1:0] left_entry;
    wire [ENTRY_BITS-1:0] asked = is_read ? entry : left_entry;
    always @(posedge clk) if (full[0] & advance) left_entry <= entry;
    generate
        if (ENTRIES == 1) begin : one_entry
            reg [STATE_BITS-1:0] state;
            wire unused_entry = &{1'b0, asked};
            assign earlier = state;
            always @(posedge clk) if (pools & !drops) state <= later;
        end else begin : many_entries
            (* ram_style = "distributed" *) reg [STATE_BITS-1:0] states [0:ENTRIES-1];
            assign earlier = states[asked];
            always @(posedge clk) if (pools & !drops) states[asked] <= later;
        end
        if (FLOWS != 0) begin : kept
            reg [STATE_BITS-1:0] pooled;
            always @(posedge clk) if (full[0] & advance) pooled <= later;
            assign found = pooled;
        end else begin : looked_up
            assign found = earlier;
        end
    endgenerate
    pool_lanes #(
        .FUNCTION(FUNCTION), .CHANNELS(LANES), .ELEMENT_BITS(ELEMENT_BITS), .SIGNED(SIGNED),
        .BIPOLAR(BIPOLAR), .COUNT_BITS(COUNT_BITS), .LEVELS(LEVELS)
    ) lanes (
        .clk(clk), .reading(reading), .is_first(column_first & row_first), .level_first(level_first),
        .word(in_data), .earlier(earlier), .later(later));

    // What leaves of the accumulators, and where it takes more stages the way to the exit.
    wire [LANES*OUTPUT_BITS-1:0] outcome;
    genvar c, m;
    generate
        if (FUNCTION == 2) begin : majority
            for (c = 0; c < LANES; c = c + 1) begin : channel
                assign outcome[c] = found[c*COUNT_BITS +: COUNT_BITS] >= MAJORITY[COUNT_BITS-1:0];
            end
        end else if (FUNCTION == 4) begin : mean
            for (c = 0; c < LANES; c = c + 1) begin : channel
                pool_mean #(
                    .SUM_BITS(COUNT_BITS), .SUM_SIGNED(SIGNED | BIPOLAR), .TAPS(TAPS), .ROUNDS(ROUNDS),
                    .FINER(FINER), .DROP(DROP), .OUTPUT_BITS(OUTPUT_BITS), .OUTPUT_SIGNED(OUTPUT_SIGNED)
                ) divided (
                    .sum(found[c*COUNT_BITS +: COUNT_BITS]),
                    .mean(outcome[c*OUTPUT_BITS +: OUTPUT_BITS]));
            end
        end else begin : as_found
            assign outcome = found;
        end
        for (m = 2; m <= PIPELINE_DEPTH; m = m + 1) begin : stage
            reg [LANES*OUTPUT_BITS-1:0] word;
            if (m == 2) begin : first
                always @(posedge clk) if (full[1] & advance) word <= outcome;
            end else begin : later
                always @(posedge clk) if (full[m-1] & advance) word <= stage[m-1].word;
            end
        end
    endgenerate
    assign out_data = stage[PIPELINE_DEPTH].word;
    wire unused_full = full[PIPELINE_DEPTH];
endmodule
