// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// One lane of a lookup unit: its five stages.

module lookup_lane #(
    parameter                  INPUT_BITS    = 8,
    parameter                  INPUT_SIGNED  = 1,
    parameter                  INPUT_BIPOLAR = 0,
    parameter                  OUTPUT_BITS   = 8,
    parameter                  SEGMENTS      = 4,
    parameter                  SHIFT_BITS    = 2,
    parameter                  PLACE_BITS    = 12,
    parameter [PLACE_BITS-1:0] LOW           = 0,
    parameter [PLACE_BITS-1:0] MOST          = 15, // the last place
    parameter                  TABLE_FILE    = "table"
) (
    input  wire                   clk,
    input  wire                   advance,
    input  wire [4:0]             full,
    input  wire [INPUT_BITS-1:0]  operand,
    output wire [OUTPUT_BITS-1:0] value
);
    localparam integer ADDRESS_BITS = SEGMENTS > 1 ? $clog2(SEGMENTS) : 1;
    localparam integer RISE_BITS    = OUTPUT_BITS + 1;

    // 1: the place within the table
    wire [PLACE_BITS-1:0] x;
    element_value #(.FROM(INPUT_BITS), .TO(PLACE_BITS), .SIGNED(INPUT_SIGNED),
             .BIPOLAR(INPUT_BIPOLAR)) x_value (.element(operand), .value(x));
    wire [PLACE_BITS-1:0] moved = x - LOW;
    wire                  below = moved[PLACE_BITS-1];
    wire                  above = !below & (moved > MOST);
    reg  [PLACE_BITS-1:0] place;
    always @(posedge clk)
        if (full[0] & advance) place <= below ? {PLACE_BITS{1'b0}} : above ? MOST : moved;

    // 2: the piece
    wire [PLACE_BITS-1:0]            piece = place >> SHIFT_BITS;
    wire [RISE_BITS+OUTPUT_BITS-1:0] entry;
    wire                             unused_piece = &{1'b0, piece};
    rom #(.WIDTH_BITS(RISE_BITS + OUTPUT_BITS), .DEPTH_WORDS(SEGMENTS), .ADDRESS_BITS(ADDRESS_BITS),
          .FILE(TABLE_FILE)) pieces (
        .clk(clk), .read(full[1] & advance), .address(piece[ADDRESS_BITS-1:0]), .word(entry));

    reg [OUTPUT_BITS-1:0] begun, sum, word;
    assign value = word;
    always @(posedge clk) begin
        if (full[2] & advance) begun <= entry[OUTPUT_BITS-1:0];
        if (full[4] & advance) word <= sum;
    end

    // 3 and 4: what has been risen on the way through it, halves up
    generate
        if (SHIFT_BITS == 0) begin : points
            wire unused_rise = &{1'b0, entry};
            always @(posedge clk) if (full[3] & advance) sum <= begun;
        end else begin : pieces_of
            localparam integer PRODUCT_BITS = RISE_BITS + SHIFT_BITS + 1;
            localparam [PRODUCT_BITS-1:0] HALF = {{(PRODUCT_BITS - 1) {1'b0}}, 1'b1} << (SHIFT_BITS - 1);
            reg  [SHIFT_BITS-1:0]          rest;
            reg  signed [PRODUCT_BITS-1:0] product;
            wire signed [PRODUCT_BITS-1:0] rise =
                {{(SHIFT_BITS + 1) {entry[RISE_BITS+OUTPUT_BITS-1]}}, entry[OUTPUT_BITS +: RISE_BITS]};
            wire signed [PRODUCT_BITS-1:0] way = {{(RISE_BITS + 1) {1'b0}}, rest};
            wire signed [PRODUCT_BITS-1:0] rounded = product + HALF;
            wire signed [PRODUCT_BITS-1:0] risen   = rounded >>> SHIFT_BITS;
            wire unused_risen = &{1'b0, risen};
            always @(posedge clk) begin
                if (full[1] & advance) rest <= place[SHIFT_BITS-1:0];
                if (full[2] & advance) product <= rise * way;
                if (full[3] & advance) sum <= begun + risen[OUTPUT_BITS-1:0];
            end
        end
    endgenerate
endmodule
