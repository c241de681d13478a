// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// Width converter whose words are LEVELS levels of an activation in turn, on both sides; each level has a
// register of its own.
//
// Narrowing by RATIO: LEVELS steps that read a word and write its first piece, then (RATIO - 1) * LEVELS
// that write the next piece of each level. Widening: (RATIO - 1) * LEVELS steps that read, then LEVELS that
// read and write.

module level_converter #(
    parameter IN_LANES       = 2,
    parameter OUT_LANES      = 1,
    parameter ELEMENT_BITS   = 1,
    parameter WORDS_IN       = 4,
    parameter WORDS_OUT      = 8,
    parameter LEVELS         = 2,
    parameter PIPELINE_DEPTH = 1,
    parameter FREEZES        = 0,
    parameter FRAME_BITS     = 32
) (
    input  wire                              clk,
    input  wire                              rst,
    input  wire [FRAME_BITS-1:0]             frames,
    input  wire                              in_valid,
    output wire                              in_ready,
    input  wire [IN_LANES*ELEMENT_BITS-1:0]  in_data,
    output wire                              out_valid,
    input  wire                              out_ready,
    output wire [OUT_LANES*ELEMENT_BITS-1:0] out_data
);
    localparam integer NARROWS    = IN_LANES > OUT_LANES ? 1 : 0;
    localparam integer RATIO      = NARROWS != 0 ? IN_LANES / OUT_LANES : OUT_LANES / IN_LANES;
    localparam integer PIECE      = (NARROWS != 0 ? OUT_LANES : IN_LANES) * ELEMENT_BITS;
    localparam integer REST       = (RATIO - 1) * PIECE;
    localparam integer PASSES     = (NARROWS != 0 ? WORDS_IN : WORDS_OUT) / LEVELS;
    localparam integer LEVEL_BITS = $clog2(LEVELS);
    localparam integer LAST       = LEVELS - 1;

    wire                    step, advance, run_over, turn_last;
    wire [PIPELINE_DEPTH:0] full;
    reg  [LEVEL_BITS-1:0]   level;
    reg                     first; // turn: of RATIO
    wire                    level_last = level == LAST[LEVEL_BITS-1:0];

    turns #(.COUNT(RATIO)) piece_of_word (
        .clk(clk), .rst(rst), .next(step & level_last), .last(turn_last));
    frame_end #(.PASSES(PASSES), .COUNTS(FREEZES), .FRAME_BITS(FRAME_BITS)) counter (
        .clk(clk), .rst(rst), .frames(frames), .pass_ends(step & level_last & turn_last),
        .run_over(run_over));
    pipeline_control #(.PIPELINE_DEPTH(PIPELINE_DEPTH), .FREEZES(FREEZES)) control (
        .clk(clk), .rst(rst), .reads(NARROWS == 0 | first), .writes(NARROWS != 0 | turn_last),
        .run_over(run_over), .in_valid(in_valid), .in_ready(in_ready),
        .out_valid(out_valid), .out_ready(out_ready), .step(step), .advance(advance), .full(full));

    always @(posedge clk)
        if (rst) begin
            level <= {LEVEL_BITS{1'b0}};
            first <= 1'b1;
        end else if (step) begin
            level <= level_last ? {LEVEL_BITS{1'b0}} : level + 1'b1;
            if (level_last) first <= turn_last;
        end

    // Of each level what is left of its word, or what has come of it; the next or oldest piece lowest.
    (* ram_style = "distributed" *) reg [REST-1:0] rests [0:LEVELS-1];
    wire [REST-1:0]                   rest = rests[level];
    reg  [OUT_LANES*ELEMENT_BITS-1:0] exit;

    generate
        if (NARROWS != 0) begin : narrowing
            wire [REST+PIECE-1:0] word = first ? in_data : {{PIECE{1'b0}}, rest};
            always @(posedge clk) if (step) rests[level] <= word[REST+PIECE-1:PIECE];
            if (PIPELINE_DEPTH == 1) begin : one_stage
                always @(posedge clk) if (full[0] & advance) exit <= word[PIECE-1:0];
            end else begin : two_stages
                reg [PIECE-1:0] piece;
                always @(posedge clk) if (full[0] & advance) piece <= word[PIECE-1:0];
                always @(posedge clk) if (full[1] & advance) exit <= piece;
            end
        end else begin : widening
            wire [REST+PIECE-1:0] word = {in_data, rest};
            always @(posedge clk) if (step) rests[level] <= word[REST+PIECE-1:PIECE];
            always @(posedge clk) if (full[0] & advance) exit <= word;
        end
    endgenerate
    assign out_data = exit;
    wire unused_full = full[PIPELINE_DEPTH];
endmodule
