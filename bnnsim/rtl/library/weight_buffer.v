// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// Keeps a matrix that comes as a stream and gives an MVAU a word of PE * SIMD weights a cycle.
//
// Program, writing side: for the matrix's rows (BY_ROWS) or columns: for each group its part of it, a word
// of SIMD columns or of PE rows at a time. Reading side, once all words of a matrix are kept: PIXELS times
// all its words, group, neuron fold, synapse fold. A word leaves at the earliest two cycles after the last
// one has come. Where FRAMES is 2 the next matrix comes in meanwhile, else once the last word has left.
//
// PARTS memories side by side, a word in wide: one a PE, or one a column of the word out.

module weight_buffer #(
    parameter BY_ROWS       = 1,
    parameter PE            = 1,
    parameter SIMD          = 1,
    parameter MATRIX_HEIGHT = 1,
    parameter MATRIX_WIDTH  = 1,
    parameter GROUPS        = 1,
    parameter PIXELS        = 1,
    parameter FRAMES        = 2,
    parameter ELEMENT_BITS  = 1,
    parameter IN_LANES      = BY_ROWS != 0 ? SIMD : PE
) (
    input  wire                            clk,
    input  wire                            rst,
    input  wire                            in_valid,
    output wire                            in_ready,
    input  wire [IN_LANES*ELEMENT_BITS-1:0] in_data,
    output wire                            out_valid,
    input  wire                            out_ready,
    output wire [PE*SIMD*ELEMENT_BITS-1:0] out_data
);
    localparam integer SYNAPSE_FOLD = MATRIX_WIDTH / SIMD;
    localparam integer NEURON_FOLD  = MATRIX_HEIGHT / PE;
    localparam integer PARTS        = BY_ROWS != 0 ? PE : SIMD;
    localparam integer WIDTH        = IN_LANES * ELEMENT_BITS;
    localparam integer DEPTH        = GROUPS * NEURON_FOLD * SYNAPSE_FOLD;
    localparam integer ALL          = FRAMES * DEPTH;
    localparam integer ADDRESS_BITS = ALL > 1 ? $clog2(ALL) : 1;
    // A row's words of a group lie side by side and its groups apart; a column's all equally apart.
    localparam integer INNER        = BY_ROWS != 0 ? SYNAPSE_FOLD : GROUPS * NEURON_FOLD;
    localparam integer STEP         = BY_ROWS != 0 ? 1 : SYNAPSE_FOLD;
    localparam integer OUTER        = BY_ROWS != 0 ? GROUPS : 1;
    localparam integer LEAP         = BY_ROWS != 0 ? (NEURON_FOLD - 1) * SYNAPSE_FOLD + 1 : 1;
    localparam integer FOLDS        = BY_ROWS != 0 ? NEURON_FOLD : SYNAPSE_FOLD;
    localparam integer FOLD_STEP    = BY_ROWS != 0 ? SYNAPSE_FOLD : 1;
    localparam integer LAST         = DEPTH - 1;
    localparam integer LAST_OF_ALL  = ALL - 1;

    // ---- the writing side ----
    reg  [FRAMES-1:0]       there;    // matrices that are kept whole and not yet given to the end
    reg                     writes_to, reads_from, held_of; // of which frame: always 0 where there is one
    reg  [ADDRESS_BITS-1:0] base, to; // of the fold that is written, and of the word
    reg  [PARTS-1:0]        part;     // one of them 1
    wire                    taken = in_valid & in_ready;
    wire                    inner_ends, outer_ends, fold_ends;
    wire                    row_ends  = inner_ends & outer_ends;
    wire                    part_ends = row_ends & part[PARTS-1];
    wire                    matrix_ends = part_ends & fold_ends;
    wire [ADDRESS_BITS-1:0] other    = FRAMES == 2 & !writes_to ? DEPTH[ADDRESS_BITS-1:0] : {ADDRESS_BITS{1'b0}};
    wire [ADDRESS_BITS-1:0] next_base = fold_ends ? other : base + FOLD_STEP[ADDRESS_BITS-1:0];

    turns #(.COUNT(INNER)) inner (.clk(clk), .rst(rst), .next(taken), .last(inner_ends));
    turns #(.COUNT(OUTER)) outer (.clk(clk), .rst(rst), .next(taken & inner_ends), .last(outer_ends));
    turns #(.COUNT(FOLDS)) folds (.clk(clk), .rst(rst), .next(taken & part_ends), .last(fold_ends));

    generate
        if (PARTS == 1) begin : one_part
            always @(posedge clk) part <= 1'b1;
        end else begin : several_parts
            always @(posedge clk)
                if (rst) part <= {{PARTS-1{1'b0}}, 1'b1};
                else if (taken & row_ends) part <= {part[PARTS-2:0], part[PARTS-1]};
        end
    endgenerate

    always @(posedge clk)
        if (rst) begin
            base <= {ADDRESS_BITS{1'b0}};
            to   <= {ADDRESS_BITS{1'b0}};
        end else if (taken) begin
            if (part_ends) base <= next_base;
            if (part_ends) to <= next_base;
            else if (row_ends) to <= base;
            else if (inner_ends) to <= to + LEAP[ADDRESS_BITS-1:0];
            else to <= to + STEP[ADDRESS_BITS-1:0];
        end

    // ---- the reading side: a word stands in the memories' registers until it leaves ----
    reg  [ADDRESS_BITS-1:0] from;
    reg                     held, held_last; // a word, and whether it is the matrix's last
    wire                    round_ends = from == LAST[ADDRESS_BITS-1:0]
        | (FRAMES == 2 & from == LAST_OF_ALL[ADDRESS_BITS-1:0]);
    wire                    pixel_ends;
    wire                    is_last = round_ends & pixel_ends;
    wire                    read    = there[FRAMES == 2 & reads_from] & (!held | out_ready);

    turns #(.COUNT(PIXELS)) pixels (.clk(clk), .rst(rst), .next(read & round_ends), .last(pixel_ends));

    // A place is written again once the last word has left that was read of it.
    assign in_ready  = !there[FRAMES == 2 & writes_to] & !(held & held_last & held_of == writes_to);
    assign out_valid = held;

    wire [ADDRESS_BITS-1:0] first = FRAMES == 2 & reads_from ? DEPTH[ADDRESS_BITS-1:0] : {ADDRESS_BITS{1'b0}};
    always @(posedge clk)
        if (rst) begin
            from <= {ADDRESS_BITS{1'b0}};
            held <= 1'b0;
        end else begin
            if (read) from <= round_ends & !(FRAMES == 2 & pixel_ends) ? first
                : FRAMES == 2 & from == LAST_OF_ALL[ADDRESS_BITS-1:0] ? {ADDRESS_BITS{1'b0}} : from + 1'b1;
            held <= read | (held & !out_ready);
        end
    always @(posedge clk)
        if (read) begin
            held_last <= is_last;
            held_of   <= reads_from;
        end

    integer f;
    always @(posedge clk)
        if (rst) begin
            there      <= {FRAMES{1'b0}};
            writes_to  <= 1'b0;
            reads_from <= 1'b0;
        end else begin
            for (f = 0; f < FRAMES; f = f + 1) begin
                if (taken & matrix_ends & (FRAMES == 1 | writes_to == f[0])) there[f] <= 1'b1;
                if (read & is_last & (FRAMES == 1 | reads_from == f[0])) there[f] <= 1'b0;
            end
            if (FRAMES == 2 & taken & matrix_ends) writes_to <= !writes_to;
            if (FRAMES == 2 & read & is_last) reads_from <= !reads_from;
        end

    // ---- the memories ----
    genvar m, e;
    generate
        for (m = 0; m < PARTS; m = m + 1) begin : memory
            wire [WIDTH-1:0] word;
            wire             writes = taken & part[m];
            if (ALL <= 64) begin : distributed
                (* ram_style = "distributed" *) reg [WIDTH-1:0] words [0:ALL-1];
                reg [WIDTH-1:0] word_read;
                always @(posedge clk) if (writes) words[to] <= in_data;
                always @(posedge clk) if (read) word_read <= words[from];
                assign word = word_read;
            end else begin : block
                (* ram_style = "block" *) reg [WIDTH-1:0] words [0:ALL-1];
                reg [WIDTH-1:0] word_read;
                always @(posedge clk) if (writes) words[to] <= in_data;
                always @(posedge clk) if (read) word_read <= words[from];
                assign word = word_read;
            end
            for (e = 0; e < IN_LANES; e = e + 1) begin : element
                localparam integer PLACE = BY_ROWS != 0 ? m * SIMD + e : e * SIMD + m;
                assign out_data[PLACE*ELEMENT_BITS +: ELEMENT_BITS] = word[e*ELEMENT_BITS +: ELEMENT_BITS];
            end
        end
    endgenerate
endmodule
