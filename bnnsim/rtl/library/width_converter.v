// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// Width converter between IN_LANES and OUT_LANES elements a word; one divides the other.
//
// Narrowing by RATIO: RATIO steps a word, read on the first, write on each. Widening by RATIO: read on each
// step, write on the last. Equal widths: a wire.
// The pieces of a wider word are gathered in the exit register itself: a step is done only where the word
// in it leaves or has left.

module width_converter #(
    parameter IN_LANES       = 1,
    parameter OUT_LANES      = 1,
    parameter ELEMENT_BITS   = 1,
    parameter WORDS_IN       = 1,
    parameter WORDS_OUT      = 1,
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
    localparam integer NARROWS   = IN_LANES > OUT_LANES ? 1 : 0;
    localparam integer RATIO     = NARROWS != 0 ? IN_LANES / OUT_LANES : OUT_LANES / IN_LANES;
    localparam integer LAST      = RATIO - 1;
    localparam integer WORDS     = NARROWS != 0 ? WORDS_IN : WORDS_OUT; // wide ones, a frame
    localparam integer TURN_BITS = RATIO > 1 ? $clog2(RATIO) : 1;

    generate
        if (RATIO == 1) begin : equal
            assign out_valid = in_valid;
            assign in_ready  = out_ready;
            assign out_data  = in_data;
            wire unused_control = clk & rst & (&frames);
        end else begin : unequal
            reg  [TURN_BITS-1:0]    turn;
            wire                    first = turn == {TURN_BITS{1'b0}};
            wire                    last  = turn == LAST[TURN_BITS-1:0];
            wire                    run_over, step, advance;
            wire [PIPELINE_DEPTH:0] full;

            frame_end #(.PASSES(WORDS), .COUNTS(FREEZES), .FRAME_BITS(FRAME_BITS)) counter (
                .clk(clk), .rst(rst), .frames(frames), .pass_ends(step & last), .run_over(run_over));

            pipeline_control #(.PIPELINE_DEPTH(PIPELINE_DEPTH), .FREEZES(FREEZES)) control (
                .clk(clk), .rst(rst), .reads(NARROWS == 0 | first), .writes(NARROWS != 0 | last),
                .run_over(run_over), .in_valid(in_valid), .in_ready(in_ready),
                .out_valid(out_valid), .out_ready(out_ready),
                .step(step), .advance(advance), .full(full));

            always @(posedge clk)
                if (rst) turn <= {TURN_BITS{1'b0}};
                else if (step) turn <= last ? {TURN_BITS{1'b0}} : turn + 1'b1;

            if (NARROWS != 0) begin : narrowing
                localparam integer PIECE = OUT_LANES * ELEMENT_BITS;
                localparam integer REST  = (RATIO - 1) * PIECE;
                reg [REST-1:0]  rest; // of the word, the next piece lowest
                reg [PIECE-1:0] piece;

                always @(posedge clk)
                    if (step) begin
                        rest  <= first ? in_data[REST+PIECE-1:PIECE] : rest >> PIECE;
                        piece <= first ? in_data[PIECE-1:0] : rest[PIECE-1:0];
                    end

                if (PIPELINE_DEPTH == 1) begin : one_stage
                    assign out_data = piece;
                end else begin : two_stages
                    reg [PIECE-1:0] exit;
                    always @(posedge clk) if (full[PIPELINE_DEPTH-1] & advance) exit <= piece;
                    assign out_data = exit;
                end
            end else begin : widening
                localparam integer PIECE = IN_LANES * ELEMENT_BITS;
                reg [RATIO*PIECE-1:0] exit;
                integer               place;

                always @(posedge clk)
                    for (place = 0; place < RATIO; place = place + 1)
                        if (step & turn == place[TURN_BITS-1:0]) exit[place*PIECE +: PIECE] <= in_data;
                assign out_data = exit;
            end
            wire unused_control = advance & (&full);
        end
    endgenerate
endmodule
