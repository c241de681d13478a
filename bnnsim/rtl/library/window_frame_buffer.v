// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// The four stages of a sliding window with a buffer: the address of the word that leaves, the buffer's
// answer, a register, the exit.

module window_frame_buffer #(
    parameter BUFFER_WORDS = 16,
    parameter WIDTH_BITS   = 8,
    parameter ADDRESS_BITS = 4
) (
    input  wire                    clk,
    input  wire                    rst,
    input  wire                    advance,
    input  wire [4:0]              full,
    input  wire                    write,
    input  wire                    frame_ends, // with this step: the next frame begins at 0
    input  wire [WIDTH_BITS-1:0]   in_data,
    input  wire [ADDRESS_BITS-1:0] address,
    output wire [WIDTH_BITS-1:0]   word
);
    reg  [ADDRESS_BITS-1:0] asked;
    wire [WIDTH_BITS-1:0]   answer;
    reg  [WIDTH_BITS-1:0]   held, exit;

    window_buffer #(
        .WIDTH_BITS(WIDTH_BITS), .BUFFER_WORDS(BUFFER_WORDS), .ADDRESS_BITS(ADDRESS_BITS)
    ) buffer (
        .clk(clk), .rst(rst), .write(write), .frame_ends(frame_ends), .in_data(in_data),
        .read(full[1] & advance), .address(asked), .word(answer));

    always @(posedge clk) if (full[0] & advance) asked <= address;
    always @(posedge clk) if (full[2] & advance) held <= answer;
    always @(posedge clk) if (full[3] & advance) exit <= held;
    assign word = exit;
    wire unused_full = full[4];
endmodule
