// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// Sliding window, style `rtl`: a ring buffer of one window's reach, elastic.
//
// Program: a word in is taken as soon as the ring has a place for it: the place of the word that came
// BUFFER_WORDS before it is free once the last window word that shows that word has left. A word out
// leaves, in order, at the earliest two cycles after the word that it shows was taken. The first word
// of a frame is taken in the cycle after the last word of the frame before has left. A word that is
// refused at the exit holds up nothing but the words behind it.

module window_elastic #(
    parameter CHANNELS        = 2,
    parameter HEIGHT          = 4,
    parameter WIDTH           = 4,
    parameter KERNEL_HEIGHT   = 3,
    parameter KERNEL_WIDTH    = 3,
    parameter STRIDE_HEIGHT   = 1,
    parameter STRIDE_WIDTH    = 1,
    parameter DILATION_HEIGHT = 1,
    parameter DILATION_WIDTH  = 1,
    parameter GROUPS          = 1,
    parameter LANES           = 1,
    parameter ELEMENT_BITS    = 1,
    parameter OUT_HEIGHT      = 2,
    parameter OUT_WIDTH       = 2,
    parameter BUFFER_WORDS    = 24
) (
    input wire clk,
    input wire rst,
    input wire in_valid,
    output wire in_ready,
    input wire [LANES*ELEMENT_BITS-1:0] in_data,
    output wire out_valid,
    input wire out_ready,
    output wire [LANES*ELEMENT_BITS-1:0] out_data
);
    localparam integer WIDTH_BITS = LANES * ELEMENT_BITS;
    localparam integer CHANNEL_FOLD = CHANNELS / LANES;
    localparam integer WORDS_IN = HEIGHT * WIDTH * CHANNEL_FOLD;
    localparam integer RING_WORDS = BUFFER_WORDS < WORDS_IN ? BUFFER_WORDS : WORDS_IN;
    localparam integer COUNT_BITS = $clog2(WORDS_IN + 1);
    localparam integer SLOT_BITS = RING_WORDS > 1 ? $clog2(RING_WORDS) : 1;
    localparam integer LAST_WORD = WORDS_IN - 1;
    localparam [COUNT_BITS-1:0] ONE = 1;

    reg [COUNT_BITS-1:0] taken;  // words of the frame taken before this cycle
    reg [COUNT_BITS-1:0] shown;  // those taken before the last cycle: they can leave
    reg all_left;                // the frame's last word has left

    wire [COUNT_BITS-1:0] address, later_first;
    wire [SLOT_BITS-1:0] next_slot, unused_slot;
    wire has_later, last;

    // A place is free once no word to come shows what is in it.
    wire [COUNT_BITS:0] end_of_place = {1'b0, taken};
    wire [COUNT_BITS:0] kept = RING_WORDS[COUNT_BITS:0];
    wire is_free = (end_of_place < {1'b0, address} + kept)
        & (~has_later | end_of_place < {1'b0, later_first} + kept);
    wire is_whole = taken == WORDS_IN[COUNT_BITS-1:0];
    assign in_ready = ~rst & (is_whole ? all_left : all_left | is_free);
    wire take = in_valid & in_ready;
    wire takes_last = WORDS_IN == 1 | taken == LAST_WORD[COUNT_BITS-1:0];

    assign out_valid = ~all_left & (address < shown);
    wire leave = out_valid & out_ready;

    window_order #(
        .CHANNEL_FOLD(CHANNEL_FOLD), .WIDTH(WIDTH),
        .KERNEL_HEIGHT(KERNEL_HEIGHT), .KERNEL_WIDTH(KERNEL_WIDTH),
        .STRIDE_HEIGHT(STRIDE_HEIGHT), .STRIDE_WIDTH(STRIDE_WIDTH),
        .DILATION_HEIGHT(DILATION_HEIGHT), .DILATION_WIDTH(DILATION_WIDTH),
        .GROUPS(GROUPS), .OUT_HEIGHT(OUT_HEIGHT), .OUT_WIDTH(OUT_WIDTH),
        .RING_WORDS(RING_WORDS), .ADDRESS_BITS(COUNT_BITS), .SLOT_BITS(SLOT_BITS)
    ) order (
        .clk(clk), .rst(rst), .next(leave), .address(address), .slot(unused_slot),
        .next_slot(next_slot), .later_first(later_first), .has_later(has_later), .last(last)
    );

    // The word that is next to leave is read again and again until it has left.
    window_buffer #(
        .WIDTH_BITS(WIDTH_BITS), .BUFFER_WORDS(RING_WORDS), .ADDRESS_BITS(SLOT_BITS)
    ) ring (
        .clk(clk), .rst(rst), .write(take), .frame_ends(take & takes_last), .in_data(in_data),
        .read(1'b1), .address(next_slot), .word(out_data));

    always @(posedge clk)
        if (rst) begin
            taken <= {COUNT_BITS{1'b0}};
            shown <= {COUNT_BITS{1'b0}};
            all_left <= 1'b0;
        end else begin
            shown <= take & is_whole ? {COUNT_BITS{1'b0}} : taken;
            if (take) taken <= is_whole ? ONE : taken + ONE;
            if (leave & last) all_left <= 1'b1;
            else if (take & is_whole) all_left <= 1'b0;
        end
endmodule
