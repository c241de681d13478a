// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// Frame source: takes the words of the frames from outside.
//
// Program of a frame: WORDS steps that write (and take a word from outside), then GAP_STEPS without any.

module frame_source #(
    parameter WIDTH_BITS     = 8,
    parameter WORDS          = 1,
    parameter GAP_STEPS      = 0,
    parameter PIPELINE_DEPTH = 1,
    parameter FREEZES        = 1,
    parameter FRAME_BITS     = 32
) (
    input  wire                  clk,
    input  wire                  rst,
    input  wire [FRAME_BITS-1:0] frames,
    input  wire                  in_valid,
    output wire                  in_ready,
    input  wire [WIDTH_BITS-1:0] in_data,
    output wire                  out_valid,
    input  wire                  out_ready,
    output wire [WIDTH_BITS-1:0] out_data
);
    localparam integer STEPS     = WORDS + GAP_STEPS;
    localparam integer LAST      = STEPS - 1;
    localparam integer STEP_BITS = STEPS > 1 ? $clog2(STEPS) : 1;

    reg  [STEP_BITS-1:0]    position; // in the frame's program
    reg  [WIDTH_BITS-1:0]   exit;
    wire                    ends  = position == LAST[STEP_BITS-1:0];
    wire                    has_word;
    wire                    run_over, step, advance;
    wire [PIPELINE_DEPTH:0] full;

    generate
        if (GAP_STEPS == 0) begin : without_gap
            assign has_word = 1'b1;
        end else begin : with_gap
            assign has_word = position < WORDS[STEP_BITS-1:0];
        end
    endgenerate

    frame_counter #(.FRAME_BITS(FRAME_BITS)) counter (
        .clk(clk), .rst(rst), .frames(frames), .frame_ends(step & ends), .run_over(run_over));

    pipeline_control #(.PIPELINE_DEPTH(PIPELINE_DEPTH), .FREEZES(FREEZES)) control (
        .clk(clk), .rst(rst), .reads(has_word), .writes(has_word), .run_over(run_over),
        .in_valid(in_valid), .in_ready(in_ready), .out_valid(out_valid), .out_ready(out_ready),
        .step(step), .advance(advance), .full(full));

    always @(posedge clk)
        if (rst) position <= {STEP_BITS{1'b0}};
        else if (step) position <= ends ? {STEP_BITS{1'b0}} : position + 1'b1;

    always @(posedge clk) if (full[0]) exit <= in_data;
    assign out_data = exit;
    wire unused_control = advance & (&full);
endmodule
