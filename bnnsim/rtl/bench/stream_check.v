// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's bench: one stream held against golden words and the cycles in which they passed.
//
// Tells the stream's first difference of each kind, and counts all. Words beyond the golden ones are wrong
// words.

module stream_check #(
    parameter WIDTH_BITS   = 8,
    parameter WRITTEN      = 1, // golden words written, and read
    parameter READ         = 1,
    parameter NAME         = "stream",
    parameter FILE         = "streams/stream" // <FILE>.hex, <FILE>.written.hex, <FILE>.read.hex
) (
    input  wire                  clk,
    input  wire                  rst,
    input  wire [31:0]           cycle,
    input  wire                  checks_cycles,
    input  wire                  ends,   // the run is over: nothing counts any more
    input  wire                  is_all, // ... and it was the golden one, as long
    input  wire                  write,
    input  wire [WIDTH_BITS-1:0] written_word,
    input  wire                  read,
    input  wire [WIDTH_BITS-1:0] read_word,
    output reg  [31:0]           words_written,
    output reg  [31:0]           words_read,
    output reg  [31:0]           wrong_words,
    output reg  [31:0]           wrong_write_cycles,
    output reg  [31:0]           wrong_read_cycles
);
    reg [WIDTH_BITS-1:0] words          [0:WRITTEN-1];
    reg [31:0]           written_cycles [0:WRITTEN-1];
    reg [31:0]           read_cycles    [0:READ-1];

    initial begin
        $readmemh({FILE, ".hex"}, words);
        $readmemh({FILE, ".written.hex"}, written_cycles);
        $readmemh({FILE, ".read.hex"}, read_cycles);
    end

    always @(posedge clk)
        if (rst) begin
            words_written      <= 32'd0;
            words_read         <= 32'd0;
            wrong_words        <= 32'd0;
            wrong_write_cycles <= 32'd0;
            wrong_read_cycles  <= 32'd0;
        end else if (ends) begin
            if (is_all && (words_written < WRITTEN || words_read < READ))
                $display("difference: stream %0s, word %0d: missing in cycle %0d, %0d written and %0d read of %0d and %0d",
                         NAME, words_written < WRITTEN ? words_written : words_read, cycle,
                         words_written, words_read, WRITTEN, READ);
        end else begin
            if (write) begin
                words_written <= words_written + 32'd1;
                if (words_written >= WRITTEN || written_word !== words[words_written]) begin
                    wrong_words <= wrong_words + 32'd1;
                    if (wrong_words == 32'd0) begin
                        if (words_written >= WRITTEN)
                            $display("difference: stream %0s, word %0d written in cycle %0d: none expected, got %h",
                                     NAME, words_written, cycle, written_word);
                        else
                            $display("difference: stream %0s, word %0d written in cycle %0d: expected %h, got %h",
                                     NAME, words_written, cycle, words[words_written], written_word);
                    end
                end
                if (checks_cycles && words_written < WRITTEN && cycle != written_cycles[words_written]) begin
                    wrong_write_cycles <= wrong_write_cycles + 32'd1;
                    if (wrong_write_cycles == 32'd0)
                        $display("difference: stream %0s, word %0d: written in cycle %0d, expected %0d",
                                 NAME, words_written, cycle, written_cycles[words_written]);
                end
            end
            if (read) begin
                words_read <= words_read + 32'd1;
                if (words_read >= WRITTEN || read_word !== words[words_read]) begin
                    wrong_words <= wrong_words + 32'd1;
                    if (wrong_words == 32'd0)
                        $display("difference: stream %0s, word %0d read in cycle %0d: got %h",
                                 NAME, words_read, cycle, read_word);
                end
                if (checks_cycles && (words_read >= READ || cycle != read_cycles[words_read])) begin
                    wrong_read_cycles <= wrong_read_cycles + 32'd1;
                    if (wrong_read_cycles == 32'd0)
                        $display("difference: stream %0s, word %0d: read in cycle %0d, expected %0d",
                                 NAME, words_read, cycle, words_read < READ ? read_cycles[words_read] : 0);
                end
            end
        end
endmodule
