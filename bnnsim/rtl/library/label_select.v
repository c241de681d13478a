// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// Label select: the positions of the TOP largest of FOLD * PE scores, the largest first; of equal ones
// the lower position first.
//
// Program of a pixel: FOLD steps that read a word of PE scores, TOP steps that write a position each, and
// PAUSE steps. Two stages. The largest scores so far are kept in order, each with its position; a score
// moves those below it down. Scores of one bit (+1 and -1) are natural numbers here.

module label_select #(
    parameter PE           = 1,
    parameter FOLD         = 4,
    parameter TOP          = 1,
    parameter PAUSE        = 3,
    parameter PIXELS       = 1,
    parameter INPUT_BITS   = 4,
    parameter INPUT_SIGNED = 1,
    parameter LABEL_BITS   = 2,
    parameter FREEZES      = 0,
    parameter FRAME_BITS   = 32
) (
    input  wire                     clk,
    input  wire                     rst,
    input  wire [FRAME_BITS-1:0]    frames,
    input  wire                     in_valid,
    output wire                     in_ready,
    input  wire [PE*INPUT_BITS-1:0] in_data,
    output wire                     out_valid,
    input  wire                     out_ready,
    output wire [LABEL_BITS-1:0]    out_data
);
    localparam integer STEPS      = FOLD + TOP + PAUSE;
    localparam integer STEP_BITS  = $clog2(STEPS);
    localparam integer LAST       = STEPS - 1;
    localparam integer LAST_READ  = FOLD - 1;
    localparam integer LAST_WRITE = FOLD + TOP - 1;
    localparam integer SCORES     = TOP * INPUT_BITS;
    localparam integer LABELS     = TOP * LABEL_BITS;

    wire       step, advance, run_over;
    wire [2:0] full;
    wire       unused_full = full[2];

    reg  [STEP_BITS-1:0]  place;
    reg  [LABEL_BITS-1:0] first; // the position of the word's first score
    wire reads  = place <= LAST_READ[STEP_BITS-1:0];
    wire read_last = place == LAST_READ[STEP_BITS-1:0];
    wire writes = !reads & place <= LAST_WRITE[STEP_BITS-1:0];
    wire ends   = place == LAST[STEP_BITS-1:0];

    frame_end #(.PASSES(PIXELS), .COUNTS(FREEZES), .FRAME_BITS(FRAME_BITS)) counter (
        .clk(clk), .rst(rst), .frames(frames), .pass_ends(step & ends), .run_over(run_over));
    pipeline_control #(.PIPELINE_DEPTH(2), .FREEZES(FREEZES)) control (
        .clk(clk), .rst(rst), .reads(reads), .writes(writes), .run_over(run_over),
        .in_valid(in_valid), .in_ready(in_ready), .out_valid(out_valid), .out_ready(out_ready),
        .step(step), .advance(advance), .full(full));

    always @(posedge clk)
        if (rst) begin
            place <= {STEP_BITS{1'b0}};
            first <= {LABEL_BITS{1'b0}};
        end else if (step) begin
            place <= ends ? {STEP_BITS{1'b0}} : place + 1'b1;
            if (reads) first <= read_last ? {LABEL_BITS{1'b0}} : first + PE[LABEL_BITS-1:0];
        end

    // what is kept, the largest lowest; behind each score of the word in turn
    reg  [SCORES-1:0] scores;
    reg  [LABELS-1:0] labels;
    genvar lane, entry;
    generate
        for (lane = 0; lane < PE; lane = lane + 1) begin : element
            wire [INPUT_BITS-1:0] given = in_data[lane*INPUT_BITS +: INPUT_BITS];
            wire [INPUT_BITS-1:0] score;
            wire [LABEL_BITS-1:0] label = first + lane[LABEL_BITS-1:0];
            wire [TOP-1:0]        above; // whether the score is above what is kept there
            wire [SCORES-1:0]     old_scores, new_scores;
            wire [LABELS-1:0]     old_labels, new_labels;
            if (INPUT_SIGNED == 0 | INPUT_BITS == 1) begin : natural
                assign score = given ^ {INPUT_BITS{INPUT_SIGNED != 0}};
            end else begin : two_s_complement
                assign score = {!given[INPUT_BITS-1], given[INPUT_BITS-2:0]};
            end
            if (lane == 0) begin : of_the_words_before
                assign old_scores = scores;
                assign old_labels = labels;
            end else begin : of_the_lane_before
                assign old_scores = element[lane-1].new_scores;
                assign old_labels = element[lane-1].new_labels;
            end
            for (entry = 0; entry < TOP; entry = entry + 1) begin : kept
                localparam integer S = entry * INPUT_BITS;
                localparam integer L = entry * LABEL_BITS;
                // more scores than so many in front of the word fill this entry
                localparam integer SEEN = entry - lane;
                wire is_filled;
                if (SEEN < 0) begin : always_filled
                    assign is_filled = 1'b1;
                end else if (SEEN >= (1 << LABEL_BITS) - 1) begin : never_filled
                    assign is_filled = 1'b0;
                end else begin : once_filled
                    assign is_filled = first > SEEN[LABEL_BITS-1:0];
                end
                wire [INPUT_BITS-1:0] old_score = old_scores[S +: INPUT_BITS];
                wire [LABEL_BITS-1:0] old_label = old_labels[L +: LABEL_BITS];
                assign above[entry] = !is_filled | score > old_score;
                wire [INPUT_BITS-1:0] came_score;
                wire [LABEL_BITS-1:0] came_label;
                if (entry == 0) begin : at_the_top
                    assign came_score = score;
                    assign came_label = label;
                end else begin : below
                    assign came_score = above[entry-1] ? old_scores[S-INPUT_BITS +: INPUT_BITS] : score;
                    assign came_label = above[entry-1] ? old_labels[L-LABEL_BITS +: LABEL_BITS] : label;
                end
                assign new_scores[S +: INPUT_BITS] = above[entry] ? came_score : old_score;
                assign new_labels[L +: LABEL_BITS] = above[entry] ? came_label : old_label;
            end
        end
    endgenerate

    wire [LABELS-1:0] moved = labels >> LABEL_BITS;
    always @(posedge clk)
        if (step) begin
            if (reads) scores <= element[PE-1].new_scores;
            labels <= reads ? element[PE-1].new_labels : moved;
        end

    reg [LABEL_BITS-1:0] chosen, word;
    assign out_data = word;
    always @(posedge clk) begin
        if (full[0] & advance) chosen <= labels[LABEL_BITS-1:0];
        if (full[1] & advance) word <= chosen;
    end
endmodule
