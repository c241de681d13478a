// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// Pipeline control: when a unit does its next step, and when the words in its pipeline move.
//
// Program of every unit, in this order, in each cycle:
//   1. the word at the exit (stage PIPELINE_DEPTH) finds no room: everything stands still;
//   2. the next step needs a word that is not there: a freezing unit stands still, the word at its exit
//      included; in a flushing one a bubble enters and the rest moves on;
//   3. else the step is done and the pipeline advances.
// A unit that has done all frames (run_over) drains, whatever its kind.
//
// The unit says of its next step whether it reads a word of every input and writes one to every output.
// It moves its counters with `step` and its registers with `advance`; full[k] tells that stage k holds a
// step that writes (full[0]: the step done in this cycle). Its exit register takes a word where
// full[PIPELINE_DEPTH-1] & advance. Without stages the step itself writes.

module pipeline_control #(
    parameter PIPELINE_DEPTH = 1,
    parameter FREEZES        = 0,
    parameter INPUTS         = 1,
    parameter OUTPUTS        = 1
) (
    input  wire                    clk,
    input  wire                    rst,
    input  wire                    reads,
    input  wire                    writes,
    input  wire                    run_over,
    input  wire [INPUTS-1:0]       in_valid,
    output wire [INPUTS-1:0]       in_ready,
    output wire [OUTPUTS-1:0]      out_valid,
    input  wire [OUTPUTS-1:0]      out_ready,
    output wire                    step,
    output wire                    advance,
    output wire [PIPELINE_DEPTH:0] full
);
    wire words_there = !reads | (&in_valid);
    wire all_ready   = &out_ready;
    wire exit_free;
    wire exit_moves;

    assign step     = exit_free & words_there & !run_over;
    assign full[0]  = step & writes;
    // One input's ready does not wait for its own valid; several are read in one step or not at all.
    assign in_ready = {INPUTS{reads & exit_free & !run_over & (INPUTS == 1 | words_there)}};
    // Likewise several outputs.
    assign out_valid = {OUTPUTS{exit_moves & (OUTPUTS == 1 | all_ready)}};

    generate
        if (PIPELINE_DEPTH == 0) begin : without_stages
            assign exit_free  = !writes | all_ready;
            assign exit_moves = writes & words_there & !run_over;
            assign advance    = step;
            wire unused_clock = clk & rst;
        end else begin : with_stages
            wire may_move = FREEZES == 0 | words_there | run_over;
            reg [PIPELINE_DEPTH:1] stage;

            assign full[PIPELINE_DEPTH:1] = stage;
            assign exit_free  = !stage[PIPELINE_DEPTH] | all_ready;
            assign exit_moves = stage[PIPELINE_DEPTH] & may_move;
            assign advance    = exit_free & may_move;

            always @(posedge clk)
                if (rst) stage <= {PIPELINE_DEPTH{1'b0}};
                else if (advance) stage <= full[PIPELINE_DEPTH-1:0];
        end
    endgenerate
endmodule
