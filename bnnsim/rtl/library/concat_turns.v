// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// Concatenation word by word: of each pixel the words of the first input, then those of the next.
//
// Program: a word written in every step, read from the input whose turn it is. One stage. Each input has a
// register for a word taken ahead, which can be passed by; in the others' turns it stands for any word.
// Narrower elements are extended to ELEMENT_BITS. TURNS are the words a pixel of each input.

module concat_turns #(
    parameter                 INPUTS       = 2,
    parameter                 WORDS        = 4,
    parameter                 LANES        = 2,
    parameter [32*INPUTS-1:0] TURNS        = {INPUTS{32'd1}},
    parameter                 ALL_TURNS    = 2,
    parameter [32*INPUTS-1:0] INPUT_BITS   = {INPUTS{32'd4}},
    parameter [INPUTS-1:0]    INPUT_SIGNED = {INPUTS{1'b1}},
    parameter                 ELEMENT_BITS = 4,
    parameter                 FREEZES      = 0,
    parameter                 FRAME_BITS   = 32,
    parameter                 IN_WIDTH     = 16, // of all inputs' words together
    parameter                 OUT_WIDTH    = 8
) (
    input  wire                  clk,
    input  wire                  rst,
    input  wire [FRAME_BITS-1:0] frames,
    input  wire [INPUTS-1:0]     in_valid,
    output wire [INPUTS-1:0]     in_ready,
    input  wire [IN_WIDTH-1:0]   in_data,
    output wire                  out_valid,
    input  wire                  out_ready,
    output wire [OUT_WIDTH-1:0]  out_data
);
    localparam integer TURN_BITS = ALL_TURNS > 1 ? $clog2(ALL_TURNS) : 1;
    localparam integer LAST_TURN = ALL_TURNS - 1;

    // Where input i's word begins, and which turn is its first.
    function integer word_base(input integer index);
        integer i;
        begin
            word_base = 0;
            for (i = 0; i < index; i = i + 1) word_base = word_base + LANES * INPUT_BITS[32*i +: 32];
        end
    endfunction
    function integer first_turn(input integer index);
        integer i;
        begin
            first_turn = 0;
            for (i = 0; i < index; i = i + 1) first_turn = first_turn + TURNS[32*i +: 32];
        end
    endfunction

    wire       step, advance, run_over;
    wire [1:0] full;
    wire       unused_full = full[1];

    wire [INPUTS-1:0]           ahead_valid, ahead_ready, has_turn;
    wire [INPUTS*OUT_WIDTH-1:0] offered; // by each input, where it has the turn

    genvar i, lane;
    generate
        for (i = 0; i < INPUTS; i = i + 1) begin : operand
            localparam integer BITS  = INPUT_BITS[32*i +: 32];
            localparam integer WIDTH = LANES * BITS;
            localparam integer FIRST = first_turn(i);
            localparam integer END   = FIRST + TURNS[32*i +: 32];
            reg  [TURN_BITS-1:0] turn, own_turn; // of the word that is taken, and of the one that leaves
            wire                 taken, word_valid, word_ready;
            wire                 unused_advance;
            wire [0:0]           unused_stage;
            wire [WIDTH-1:0]     word;
            wire                 from_first, before_end, own_from_first, own_before_end;
            below #(.BITS(TURN_BITS), .LIMIT(FIRST)) first (.value(turn), .is_below(from_first));
            below #(.BITS(TURN_BITS), .LIMIT(END)) last (.value(turn), .is_below(before_end));
            below #(.BITS(TURN_BITS), .LIMIT(FIRST)) own_first (.value(own_turn), .is_below(own_from_first));
            below #(.BITS(TURN_BITS), .LIMIT(END)) own_last (.value(own_turn), .is_below(own_before_end));
            pipeline_control #(.PIPELINE_DEPTH(0), .FREEZES(1)) control (
                .clk(clk), .rst(rst), .reads(!from_first & before_end), .writes(1'b1), .run_over(1'b0),
                .in_valid(in_valid[i]), .in_ready(in_ready[i]),
                .out_valid(word_valid), .out_ready(word_ready),
                .step(taken), .advance(unused_advance), .full(unused_stage));
            queue #(.WIDTH_BITS(WIDTH)) ahead (
                .clk(clk), .rst(rst), .in_valid(word_valid), .in_ready(word_ready),
                .in_data(in_data[word_base(i) +: WIDTH]),
                .out_valid(ahead_valid[i]), .out_ready(ahead_ready[i]), .out_data(word));
            always @(posedge clk)
                if (rst) begin
                    turn     <= {TURN_BITS{1'b0}};
                    own_turn <= {TURN_BITS{1'b0}};
                end else begin
                    if (taken) turn <= turn == LAST_TURN[TURN_BITS-1:0] ? {TURN_BITS{1'b0}} : turn + 1'b1;
                    if (step)
                        own_turn <= own_turn == LAST_TURN[TURN_BITS-1:0]
                            ? {TURN_BITS{1'b0}} : own_turn + 1'b1;
                end
            assign has_turn[i] = !own_from_first & own_before_end;
            for (lane = 0; lane < LANES; lane = lane + 1) begin : element
                wire [ELEMENT_BITS-1:0] value;
                element_value #(.FROM(BITS), .TO(ELEMENT_BITS), .SIGNED(BITS > 1 ? INPUT_SIGNED[i] : 0),
                         .BIPOLAR(0)) extended (.element(word[lane*BITS +: BITS]), .value(value));
                assign offered[i*OUT_WIDTH + lane*ELEMENT_BITS +: ELEMENT_BITS] =
                    has_turn[i] ? value : {ELEMENT_BITS{1'b0}};
            end
        end
    endgenerate

    frame_end #(.PASSES(WORDS), .COUNTS(FREEZES), .FRAME_BITS(FRAME_BITS)) counter (
        .clk(clk), .rst(rst), .frames(frames), .pass_ends(step), .run_over(run_over));
    pipeline_control #(.PIPELINE_DEPTH(1), .FREEZES(FREEZES), .INPUTS(INPUTS)) control (
        .clk(clk), .rst(rst), .reads(1'b1), .writes(1'b1), .run_over(run_over),
        .in_valid(ahead_valid), .in_ready(ahead_ready), .out_valid(out_valid), .out_ready(out_ready),
        .step(step), .advance(advance), .full(full));

    reg [OUT_WIDTH-1:0] chosen;
    integer             k;
    always @* begin
        chosen = {OUT_WIDTH{1'b0}};
        for (k = 0; k < INPUTS; k = k + 1) chosen = chosen | offered[k*OUT_WIDTH +: OUT_WIDTH];
    end

    reg [OUT_WIDTH-1:0] word;
    assign out_data = word;
    always @(posedge clk) if (full[0] & advance) word <= chosen;
endmodule
