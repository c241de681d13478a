// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// Delay of WORDS words: with each word in comes out the one of WORDS words before. A line buffer where it
// is long; its memory is read before it is written.

module word_delay #(
    parameter WORDS      = 1,
    parameter WIDTH_BITS = 1
) (
    input  wire                  clk,
    input  wire                  rst,
    input  wire                  next,
    input  wire [WIDTH_BITS-1:0] word,
    output wire [WIDTH_BITS-1:0] delayed
);
    reg [WIDTH_BITS-1:0] last;
    assign delayed = last;

    generate
        if (WORDS == 1) begin : register
            wire unused_rst = rst;
            always @(posedge clk) if (next) last <= word;
        end else if (WORDS == 2) begin : registers
            wire unused_rst = rst;
            reg [WIDTH_BITS-1:0] first;
            always @(posedge clk) if (next) first <= word;
            always @(posedge clk) if (next) last <= first;
        end else begin : line
            localparam integer PLACES = WORDS - 1;
            localparam integer BITS   = $clog2(PLACES);
            localparam integer END    = PLACES - 1;
            reg [WIDTH_BITS-1:0] words [0:PLACES-1];
            reg [BITS-1:0]       place;
            always @(posedge clk)
                if (rst) place <= {BITS{1'b0}};
                else if (next) place <= place == END[BITS-1:0] ? {BITS{1'b0}} : place + 1'b1;
            always @(posedge clk)
                if (next) begin
                    last         <= words[place];
                    words[place] <= word;
                end
        end
    endgenerate
endmodule
