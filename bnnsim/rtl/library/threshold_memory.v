// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// The thresholds of one fold after the other, over and over: those of the fold that is in a stage.
//
// `comes`: a fold enters the stage with this edge; `leaves`: it leaves with it. Up to 32 words are looked
// up in logic, more are read from a memory as the fold comes.

module threshold_memory #(
    parameter WIDTH_BITS  = 8,
    parameter DEPTH_WORDS = 1,
    parameter FILE        = "thresholds"
) (
    input  wire                  clk,
    input  wire                  rst,
    input  wire                  comes,
    input  wire                  leaves,
    output wire [WIDTH_BITS-1:0] word
);
    localparam integer ADDRESS_BITS = DEPTH_WORDS > 1 ? $clog2(DEPTH_WORDS) : 1;
    localparam integer LAST         = DEPTH_WORDS - 1;
    localparam integer LOOKED_UP    = DEPTH_WORDS <= 32 ? 1 : 0;

    reg  [ADDRESS_BITS-1:0] fold;
    wire                    moves = LOOKED_UP != 0 ? leaves : comes;

    always @(posedge clk)
        if (rst) fold <= {ADDRESS_BITS{1'b0}};
        else if (moves) fold <= fold == LAST[ADDRESS_BITS-1:0] ? {ADDRESS_BITS{1'b0}} : fold + 1'b1;

    generate
        if (LOOKED_UP != 0) begin : in_logic
            reg [WIDTH_BITS-1:0] words [0:DEPTH_WORDS-1];
            initial $readmemh({FILE, "_a.hex"}, words);
            assign word = words[fold];
            wire unused_edge = comes;
        end else begin : in_memory
            rom #(.WIDTH_BITS(WIDTH_BITS), .DEPTH_WORDS(DEPTH_WORDS), .ADDRESS_BITS(ADDRESS_BITS),
                  .FILE(FILE)) memory (
                .clk(clk), .read(comes), .address(fold), .word(word));
            wire unused_edge = leaves;
        end
    endgenerate
endmodule
