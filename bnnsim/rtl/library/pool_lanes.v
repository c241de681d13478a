// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// What a pool's word makes of what its window has come to so far: see pool.v for FUNCTION.

module pool_lanes #(
    parameter FUNCTION     = 0,
    parameter CHANNELS     = 2,
    parameter ELEMENT_BITS = 1,
    parameter SIGNED       = 0,
    parameter BIPOLAR      = 0,
    parameter COUNT_BITS   = 1,
    parameter LEVELS       = 1
) (
    input  wire                             clk,
    input  wire                             reading,
    input  wire                             is_first,    // pixel of its window
    input  wire                             level_first,
    input  wire [CHANNELS*ELEMENT_BITS-1:0] word,
    input  wire [CHANNELS*COUNT_BITS-1:0]   earlier,
    output wire [CHANNELS*COUNT_BITS-1:0]   later
);
    genvar c;
    generate
        if (FUNCTION == 0 && LEVELS > 1) begin : levels
            // Which of the two was found larger by a level earlier: the pixel, or what stood there.
            reg  [CHANNELS-1:0] pixel_wins, other_wins;
            wire [CHANNELS-1:0] pixel_won = level_first ? {CHANNELS{1'b0}} : pixel_wins;
            wire [CHANNELS-1:0] other_won = level_first ? {CHANNELS{1'b0}} : other_wins;
            assign later = is_first ? word
                : (word & ~other_won) | (earlier & ~pixel_won);
            always @(posedge clk)
                if (reading) begin
                    pixel_wins <= pixel_won | (~other_won & word & ~earlier);
                    other_wins <= other_won | (~pixel_won & earlier & ~word);
                end
        end else begin : no_levels
            wire unused_state = &{1'b0, clk, reading, level_first};
            for (c = 0; c < CHANNELS; c = c + 1) begin : channel
                wire [ELEMENT_BITS-1:0] x     = word[c*ELEMENT_BITS +: ELEMENT_BITS];
                wire [COUNT_BITS-1:0]   state = earlier[c*COUNT_BITS +: COUNT_BITS];
                wire [COUNT_BITS-1:0]   result;
                if (FUNCTION == 0) begin : any
                    assign result = is_first ? x : x | state;
                end else if (FUNCTION == 1) begin : most
                    wire sign_flip = SIGNED != 0;
                    wire [ELEMENT_BITS-1:0] flip = {sign_flip, {(ELEMENT_BITS - 1) {1'b0}}};
                    assign result = is_first | (x ^ flip) > (state ^ flip) ? x : state;
                end else if (FUNCTION > 2) begin : sum
                    wire [COUNT_BITS-1:0] number;
                    element_value #(.FROM(ELEMENT_BITS), .TO(COUNT_BITS), .SIGNED(SIGNED),
                        .BIPOLAR(BIPOLAR)) value_of (.element(x), .value(number));
                    assign result = is_first ? number : state + number;
                end else if (COUNT_BITS == 1) begin : one
                    wire unused_count = &{1'b0, state, is_first};
                    assign result = x;
                end else begin : count
                    assign result = (is_first ? {COUNT_BITS{1'b0}} : state)
                        + {{(COUNT_BITS - 1) {1'b0}}, x[0]};
                end
                assign later[c*COUNT_BITS +: COUNT_BITS] = result;
            end
        end
    endgenerate
endmodule
