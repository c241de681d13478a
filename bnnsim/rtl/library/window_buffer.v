// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// Buffer of a sliding window: words are written in turn, those that stand at `address` are read; the word
// is there in the cycle after `read` and stays.

module window_buffer #(
    parameter WIDTH_BITS   = 8,
    parameter BUFFER_WORDS = 16,
    parameter ADDRESS_BITS = 4
) (
    input  wire                    clk,
    input  wire                    rst,
    input  wire                    write,
    input  wire                    frame_ends, // with this step: the next frame begins at 0
    input  wire [WIDTH_BITS-1:0]   in_data,
    input  wire                    read,
    input  wire [ADDRESS_BITS-1:0] address,
    output wire [WIDTH_BITS-1:0]   word
);
    localparam integer LAST = BUFFER_WORDS - 1;
    reg [ADDRESS_BITS-1:0] place;
    reg [WIDTH_BITS-1:0]   found;
    assign word = found;

    always @(posedge clk)
        if (rst | frame_ends) place <= {ADDRESS_BITS{1'b0}};
        else if (write) place <= place == LAST[ADDRESS_BITS-1:0] ? {ADDRESS_BITS{1'b0}} : place + 1'b1;

    generate
        if (BUFFER_WORDS <= 64) begin : distributed
            (* ram_style = "distributed" *) reg [WIDTH_BITS-1:0] words [0:BUFFER_WORDS-1];
            always @(posedge clk) if (write) words[place] <= in_data;
            always @(posedge clk) if (read) found <= words[address];
        end else begin : block
            (* ram_style = "block" *) reg [WIDTH_BITS-1:0] words [0:BUFFER_WORDS-1];
            always @(posedge clk) if (write) words[place] <= in_data;
            always @(posedge clk) if (read) found <= words[address];
        end
    endgenerate
endmodule
