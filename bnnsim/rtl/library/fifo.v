// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// Channel: a FIFO of DEPTH_WORDS between one writer and one reader.
//
// Sampled at the start of a cycle, committed at its end: a word written in cycle t can be read from t + 1, a
// place freed in t can be written from t + 1. Neither out_valid depends on in_valid nor in_ready on
// out_ready in the same cycle.
//
// One word: a register. Up to 64: distributed memory. More: block memory, whose next word is looked up
// while the one before it leaves; a word that is needed in the cycle after its writing goes past it.

module fifo #(
    parameter WIDTH_BITS  = 8,
    parameter DEPTH_WORDS = 2
) (
    input  wire                  clk,
    input  wire                  rst,
    input  wire                  in_valid,
    output wire                  in_ready,
    input  wire [WIDTH_BITS-1:0] in_data,
    output wire                  out_valid,
    input  wire                  out_ready,
    output wire [WIDTH_BITS-1:0] out_data
);
    wire write = in_valid & in_ready;
    wire read  = out_valid & out_ready;

    generate
        if (DEPTH_WORDS == 1) begin : one_word
            reg                  full;
            reg [WIDTH_BITS-1:0] word;

            assign in_ready  = !full;
            assign out_valid = full;
            assign out_data  = word;

            always @(posedge clk)
                if (rst) full <= 1'b0;
                else full <= write | (full & !read);
            always @(posedge clk) if (write) word <= in_data;
        end else begin : many_words
            localparam ADDRESS_BITS = $clog2(DEPTH_WORDS);
            localparam integer LAST = DEPTH_WORDS - 1;

            reg  [ADDRESS_BITS-1:0] head;
            reg  [ADDRESS_BITS-1:0] tail;
            reg                     empty;
            reg                     full;
            wire [ADDRESS_BITS-1:0] behind_head =
                head == LAST[ADDRESS_BITS-1:0] ? {ADDRESS_BITS{1'b0}} : head + 1'b1;
            wire [ADDRESS_BITS-1:0] behind_tail =
                tail == LAST[ADDRESS_BITS-1:0] ? {ADDRESS_BITS{1'b0}} : tail + 1'b1;

            assign in_ready  = !full;
            assign out_valid = !empty;

            always @(posedge clk)
                if (rst) begin
                    head  <= {ADDRESS_BITS{1'b0}};
                    tail  <= {ADDRESS_BITS{1'b0}};
                    empty <= 1'b1;
                    full  <= 1'b0;
                end else begin
                    if (read) head <= behind_head;
                    if (write) tail <= behind_tail;
                    if (write & !read) begin
                        empty <= 1'b0;
                        full  <= behind_tail == head;
                    end
                    if (read & !write) begin
                        empty <= behind_head == tail;
                        full  <= 1'b0;
                    end
                end

            if (DEPTH_WORDS <= 64) begin : distributed
                (* ram_style = "distributed" *) reg [WIDTH_BITS-1:0] words [0:DEPTH_WORDS-1];

                assign out_data = words[head];
                always @(posedge clk) if (write) words[tail] <= in_data;
            end else begin : block
                (* ram_style = "block" *) reg [WIDTH_BITS-1:0] words [0:DEPTH_WORDS-1];
                reg  [WIDTH_BITS-1:0]   looked_up;
                reg  [WIDTH_BITS-1:0]   passing;
                reg                     passes;
                wire [ADDRESS_BITS-1:0] next_head = read ? behind_head : head;

                assign out_data = passes ? passing : looked_up;
                always @(posedge clk) begin
                    if (write) words[tail] <= in_data;
                    if (read | passes) looked_up <= words[next_head];
                    if (write) passing <= in_data;
                end
                always @(posedge clk)
                    if (rst) passes <= 1'b0;
                    else passes <= write & (tail == next_head);
            end
        end
    endgenerate
endmodule
