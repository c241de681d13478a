// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// Repeat: each pixel of a map so many times along rows and columns, the only channel so many times.
//
// Program of a row in: its pixels one after the other, each word written as it is read, then again
// COLUMN_COUNTS times in all; then the whole row again, ROW_COUNTS times in all. One stage.
// With ZEROS a pixel stands once and zeros in its other places. WIDENS: bits come in, -1 and +1 in two
// bits go out. A count has COUNT_BITS, the first in the lowest. What is written again is kept: a row where
// rows come again, else a pixel.

module repeat_map #(
    parameter                            ROWS           = 2,
    parameter                            COLUMNS        = 2,
    parameter                            COUNT_BITS     = 2,
    parameter [ROWS*COUNT_BITS-1:0]      ROW_COUNTS     = {ROWS{2'd2}},
    parameter [COLUMNS*COUNT_BITS-1:0]   COLUMN_COUNTS  = {COLUMNS{2'd2}},
    parameter                            ROWS_AGAIN     = 1,
    parameter                            PIXEL_WORDS    = 1, // of a pixel as it goes out
    parameter                            ONE_CHANNEL    = 0, // a single word in is all of them
    parameter                            LANES          = 1,
    parameter                            ELEMENT_BITS   = 4,
    parameter                            WIDENS         = 0,
    parameter                            ZEROS          = 0,
    parameter                            FREEZES        = 0,
    parameter                            FRAME_BITS     = 32,
    parameter                            IN_WIDTH       = 4,
    parameter                            OUT_WIDTH      = 4
) (
    input  wire                  clk,
    input  wire                  rst,
    input  wire [FRAME_BITS-1:0] frames,
    input  wire                  in_valid,
    output wire                  in_ready,
    input  wire [IN_WIDTH-1:0]   in_data,
    output wire                  out_valid,
    input  wire                  out_ready,
    output wire [OUT_WIDTH-1:0]  out_data
);
    localparam integer WORD_BITS    = PIXEL_WORDS > 1 ? $clog2(PIXEL_WORDS) : 1;
    localparam integer COLUMN_BITS  = COLUMNS > 1 ? $clog2(COLUMNS) : 1;
    localparam integer ROW_BITS     = ROWS > 1 ? $clog2(ROWS) : 1;
    localparam integer LAST_WORD    = PIXEL_WORDS - 1;
    localparam integer LAST_COLUMN  = COLUMNS - 1;
    localparam integer LAST_ROW     = ROWS - 1;
    localparam integer WORDS_IN     = ONE_CHANNEL != 0 ? 1 : PIXEL_WORDS;
    localparam integer KEEPS        = ZEROS == 0 || ONE_CHANNEL != 0 ? 1 : 0;
    localparam integer KEPT         = ZEROS != 0 ? 1 : WORDS_IN * (ROWS_AGAIN != 0 ? COLUMNS : 1);
    localparam integer KEPT_BITS    = KEPT > 1 ? $clog2(KEPT) : 1;
    localparam integer LAST_KEPT    = KEPT - 1;

    wire       step, advance, run_over;
    wire [1:0] full;
    wire       unused_full = full[1];

    // where the next word out stands
    reg  [WORD_BITS-1:0]   word_of;
    reg  [COLUMN_BITS-1:0] column;
    reg  [ROW_BITS-1:0]    row;
    reg  [COUNT_BITS-1:0]  column_copy, row_copy;
    reg  [KEPT_BITS-1:0]   first; // where the pixel's words are kept
    wire [COUNT_BITS-1:0]  column_times = COLUMN_COUNTS[column*COUNT_BITS +: COUNT_BITS];
    wire [COUNT_BITS-1:0]  row_times    = ROW_COUNTS[row*COUNT_BITS +: COUNT_BITS];
    wire pixel_ends  = word_of == LAST_WORD[WORD_BITS-1:0];
    wire column_ends = pixel_ends & (column_copy == column_times - 1'b1);
    wire row_written = column_ends & (column == LAST_COLUMN[COLUMN_BITS-1:0]);
    wire row_ends    = row_written & (row_copy == row_times - 1'b1);
    wire frame_ends  = row_ends & (row == LAST_ROW[ROW_BITS-1:0]);
    wire is_first    = row_copy == {COUNT_BITS{1'b0}} & column_copy == {COUNT_BITS{1'b0}};
    wire reads       = is_first & (ONE_CHANNEL == 0 | word_of == {WORD_BITS{1'b0}});

    frame_end #(.PASSES(1), .COUNTS(FREEZES), .FRAME_BITS(FRAME_BITS)) counter (
        .clk(clk), .rst(rst), .frames(frames), .pass_ends(step & frame_ends), .run_over(run_over));
    pipeline_control #(.PIPELINE_DEPTH(1), .FREEZES(FREEZES)) control (
        .clk(clk), .rst(rst), .reads(reads), .writes(1'b1), .run_over(run_over),
        .in_valid(in_valid), .in_ready(in_ready), .out_valid(out_valid), .out_ready(out_ready),
        .step(step), .advance(advance), .full(full));

    always @(posedge clk)
        if (rst) begin
            word_of     <= {WORD_BITS{1'b0}};
            column      <= {COLUMN_BITS{1'b0}};
            row         <= {ROW_BITS{1'b0}};
            column_copy <= {COUNT_BITS{1'b0}};
            row_copy    <= {COUNT_BITS{1'b0}};
        end else if (step) begin
            word_of <= pixel_ends ? {WORD_BITS{1'b0}} : word_of + 1'b1;
            if (pixel_ends) column_copy <= column_ends ? {COUNT_BITS{1'b0}} : column_copy + 1'b1;
            if (column_ends) column <= row_written ? {COLUMN_BITS{1'b0}} : column + 1'b1;
            if (row_written) row_copy <= row_ends ? {COUNT_BITS{1'b0}} : row_copy + 1'b1;
            if (row_ends) row <= frame_ends ? {ROW_BITS{1'b0}} : row + 1'b1;
        end
    always @(posedge clk)
        if (rst) first <= {KEPT_BITS{1'b0}};
        else if (step & column_ends & ROWS_AGAIN != 0)
            first <= row_written | KEPT == 1 ? {KEPT_BITS{1'b0}} : first + WORDS_IN[KEPT_BITS-1:0];

    // what is written again, or zeros
    wire [IN_WIDTH-1:0] again;
    generate
        if (KEEPS == 0) begin : between
            assign again = {IN_WIDTH{1'b0}};
            wire unused_place = &{1'b0, first};
        end else begin : kept
            reg [IN_WIDTH-1:0] words [0:LAST_KEPT];
            wire [KEPT_BITS-1:0] place;
            if (ONE_CHANNEL != 0) begin : same
                assign place = first;
            end else begin : each
                wire [KEPT_BITS-1:0] offset;
                resize #(.FROM(WORD_BITS), .TO(KEPT_BITS)) of_word (.value(word_of), .result(offset));
                assign place = first + offset;
            end
            assign again = words[place];
            always @(posedge clk) if (step & reads) words[place] <= in_data;
        end
    endgenerate

    wire [IN_WIDTH-1:0] given = reads ? in_data : again;
    wire                nothing = ZEROS != 0 & !is_first;
    wire [OUT_WIDTH-1:0] shaped;
    genvar lane;
    generate
        for (lane = 0; lane < LANES; lane = lane + 1) begin : element
            localparam integer AT = ONE_CHANNEL != 0 ? 0 : lane * ELEMENT_BITS;
            if (WIDENS != 0) begin : as_number
                assign shaped[2*lane +: 2] = {!given[AT], 1'b1};
            end else begin : as_it_is
                assign shaped[lane*ELEMENT_BITS +: ELEMENT_BITS] = given[AT +: ELEMENT_BITS];
            end
        end
    endgenerate

    reg [OUT_WIDTH-1:0] word;
    assign out_data = word;
    always @(posedge clk) if (full[0] & advance) word <= nothing ? {OUT_WIDTH{1'b0}} : shaped;
endmodule
