// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// Padding: a border around each map.
//
// Program, a word written in every step: BORDER_TOP rows of border; then for every row BORDER_LEFT border
// pixels, the row's own words, each read in the step that writes it, and BORDER_RIGHT border pixels; then
// BORDER_BOTTOM rows of border. No stages. One word is taken ahead into a register that can be passed by.
// WIDENS_BITS: bits come in and -1, 0, +1 in two bits go out, the border being a true zero.
// BORDER_ELEMENT are an element's bits in the border.

module padding #(
    parameter                   CHANNELS       = 2,
    parameter                   HEIGHT         = 4,
    parameter                   WIDTH          = 4,
    parameter                   BORDER_TOP     = 1,
    parameter                   BORDER_LEFT    = 1,
    parameter                   BORDER_BOTTOM  = 1,
    parameter                   BORDER_RIGHT   = 1,
    parameter                   LANES          = 1,
    parameter                   ELEMENT_BITS   = 1,
    parameter                   WIDENS_BITS    = 0,
    parameter                   OUTPUT_BITS    = ELEMENT_BITS,
    parameter [OUTPUT_BITS-1:0] BORDER_ELEMENT = {OUTPUT_BITS{1'b0}},
    parameter                   FRAME_BITS     = 32
) (
    input  wire                          clk,
    input  wire                          rst,
    input  wire [FRAME_BITS-1:0]         frames,
    input  wire                          in_valid,
    output wire                          in_ready,
    input  wire [LANES*ELEMENT_BITS-1:0] in_data,
    output wire                          out_valid,
    input  wire                          out_ready,
    output wire [LANES*OUTPUT_BITS-1:0]  out_data
);
    localparam CHANNEL_FOLD = CHANNELS / LANES;
    localparam OUT_HEIGHT   = HEIGHT + BORDER_TOP + BORDER_BOTTOM;
    localparam ROW_WORDS    = (WIDTH + BORDER_LEFT + BORDER_RIGHT) * CHANNEL_FOLD;
    localparam ROW_BITS     = $clog2(OUT_HEIGHT + 1);
    localparam WORD_BITS    = $clog2(ROW_WORDS + 1);
    localparam FIRST_ROW    = BORDER_TOP;
    localparam END_ROW      = BORDER_TOP + HEIGHT;
    localparam FIRST_WORD   = BORDER_LEFT * CHANNEL_FOLD;
    localparam END_WORD     = (BORDER_LEFT + WIDTH) * CHANNEL_FOLD;
    localparam LAST_ROW     = OUT_HEIGHT - 1;
    localparam LAST_WORD    = ROW_WORDS - 1;

    // The word taken ahead; `inside_*` is what the program reads.
    wire                          inside_valid, inside_ready;
    wire [LANES*ELEMENT_BITS-1:0] inside_data;
    queue #(.WIDTH_BITS(LANES * ELEMENT_BITS)) ahead (
        .clk(clk), .rst(rst), .in_valid(in_valid), .in_ready(in_ready), .in_data(in_data),
        .out_valid(inside_valid), .out_ready(inside_ready), .out_data(inside_data));

    reg [ROW_BITS-1:0]  row;
    reg [WORD_BITS-1:0] word;
    wire above, not_under, left, not_right;
    below #(.BITS(ROW_BITS), .LIMIT(FIRST_ROW)) top (.value(row), .is_below(above));
    below #(.BITS(ROW_BITS), .LIMIT(END_ROW)) bottom (.value(row), .is_below(not_under));
    below #(.BITS(WORD_BITS), .LIMIT(FIRST_WORD)) left_border (.value(word), .is_below(left));
    below #(.BITS(WORD_BITS), .LIMIT(END_WORD)) right_border (.value(word), .is_below(not_right));
    wire is_inside = !above & not_under & !left & not_right;
    wire row_ends       = word == LAST_WORD[WORD_BITS-1:0];
    wire map_ends       = row_ends & row == LAST_ROW[ROW_BITS-1:0];

    wire       step, run_over;
    wire       unused_advance;
    wire [0:0] unused_full;
    pipeline_control #(.PIPELINE_DEPTH(0), .FREEZES(1)) control (
        .clk(clk), .rst(rst), .reads(is_inside), .writes(1'b1), .run_over(run_over),
        .in_valid(inside_valid), .in_ready(inside_ready),
        .out_valid(out_valid), .out_ready(out_ready),
        .step(step), .advance(unused_advance), .full(unused_full)
    );
    frame_counter #(.FRAME_BITS(FRAME_BITS)) frame (
        .clk(clk), .rst(rst), .frames(frames), .frame_ends(step & map_ends), .run_over(run_over)
    );

    always @(posedge clk)
        if (rst) begin
            row  <= {ROW_BITS{1'b0}};
            word <= {WORD_BITS{1'b0}};
        end else if (step) begin
            word <= row_ends ? {WORD_BITS{1'b0}} : word + 1'b1;
            if (row_ends) row <= map_ends ? {ROW_BITS{1'b0}} : row + 1'b1;
        end

    genvar lane;
    generate
        for (lane = 0; lane < LANES; lane = lane + 1) begin : element
            wire [OUTPUT_BITS-1:0] value;
            element_value #(.FROM(ELEMENT_BITS), .TO(OUTPUT_BITS), .SIGNED(0),
                     .BIPOLAR(WIDENS_BITS)) extended (
                .element(inside_data[lane*ELEMENT_BITS +: ELEMENT_BITS]), .value(value)
            );
            assign out_data[lane*OUTPUT_BITS +: OUTPUT_BITS] = is_inside ? value : BORDER_ELEMENT;
        end
    endgenerate
endmodule
