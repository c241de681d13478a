// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// Where a sliding window's words stand in a buffer that its map's words fill in turn.
//
// Order: output row, output column, group, kernel row, kernel column, channel fold of the group. From word
// to word the address moves by a constant that depends on which of these counters wrap, modulo
// BUFFER_WORDS; a frame begins at 0.

module window_walk #(
    parameter CHANNEL_FOLD    = 1,
    parameter GROUPS          = 1,
    parameter WIDTH           = 4,
    parameter KERNEL_HEIGHT   = 2,
    parameter KERNEL_WIDTH    = 2,
    parameter STRIDE_HEIGHT   = 1,
    parameter STRIDE_WIDTH    = 1,
    parameter DILATION_HEIGHT = 1,
    parameter DILATION_WIDTH  = 1,
    parameter OUT_HEIGHT      = 3,
    parameter OUT_WIDTH       = 3,
    parameter BUFFER_WORDS    = 16,
    parameter ADDRESS_BITS    = 4
) (
    input  wire                    clk,
    input  wire                    rst,
    input  wire                    next,
    output reg  [ADDRESS_BITS-1:0] address,
    output wire                    frame_ends // with the word at `address`
);
    localparam integer FOLD  = CHANNEL_FOLD / GROUPS; // words of a group's pixel
    localparam integer ROW   = WIDTH * CHANNEL_FOLD;
    // from a window's first word to its last, group by group
    localparam integer REACH = (KERNEL_HEIGHT - 1) * DILATION_HEIGHT * ROW
                             + (KERNEL_WIDTH - 1) * DILATION_WIDTH * CHANNEL_FOLD + FOLD - 1;
    localparam integer TO_COLUMN = (DILATION_WIDTH - 1) * CHANNEL_FOLD + CHANNEL_FOLD - FOLD + 1;
    localparam integer TO_ROW    = DILATION_HEIGHT * ROW
                                 - (KERNEL_WIDTH - 1) * DILATION_WIDTH * CHANNEL_FOLD - FOLD + 1;
    localparam integer TO_GROUP  = FOLD - REACH;
    localparam integer TO_PIXEL  = STRIDE_WIDTH * CHANNEL_FOLD - (CHANNEL_FOLD - FOLD) - REACH;
    localparam integer TO_LINE   = STRIDE_HEIGHT * ROW - (OUT_WIDTH - 1) * STRIDE_WIDTH * CHANNEL_FOLD
                                 - (CHANNEL_FOLD - FOLD) - REACH;

    function integer modulo(input integer distance);
        // in signed numbers, whatever the parameter's expression was
        integer words;
        begin
            words  = BUFFER_WORDS;
            modulo = (distance % words + words) % words;
        end
    endfunction

    localparam integer BY_COLUMN = modulo(TO_COLUMN);
    localparam integer BY_ROW    = modulo(TO_ROW);
    localparam integer BY_GROUP  = modulo(TO_GROUP);
    localparam integer BY_PIXEL  = modulo(TO_PIXEL);
    localparam integer BY_LINE   = modulo(TO_LINE);
    localparam integer BY_ONE    = modulo(1);

    wire last_fold, last_kernel_column, last_kernel_row, last_group, last_column, last_row;
    wire column_done = last_fold & last_kernel_column;
    wire window_done = column_done & last_kernel_row;
    wire pixel_done  = window_done & last_group;
    wire line_done   = pixel_done & last_column;
    assign frame_ends = line_done & last_row;

    turns #(.COUNT(FOLD)) fold_counter (.clk(clk), .rst(rst), .next(next), .last(last_fold));
    turns #(.COUNT(KERNEL_WIDTH)) kernel_column_counter (
        .clk(clk), .rst(rst), .next(next & last_fold), .last(last_kernel_column));
    turns #(.COUNT(KERNEL_HEIGHT)) kernel_row_counter (
        .clk(clk), .rst(rst), .next(next & column_done), .last(last_kernel_row));
    turns #(.COUNT(GROUPS)) group_counter (
        .clk(clk), .rst(rst), .next(next & window_done), .last(last_group));
    turns #(.COUNT(OUT_WIDTH)) column_counter (
        .clk(clk), .rst(rst), .next(next & pixel_done), .last(last_column));
    turns #(.COUNT(OUT_HEIGHT)) row_counter (
        .clk(clk), .rst(rst), .next(next & line_done), .last(last_row));

    wire [ADDRESS_BITS-1:0] distance =
        !last_fold          ? BY_ONE[ADDRESS_BITS-1:0] :
        !last_kernel_column ? BY_COLUMN[ADDRESS_BITS-1:0] :
        !last_kernel_row    ? BY_ROW[ADDRESS_BITS-1:0] :
        !last_group         ? BY_GROUP[ADDRESS_BITS-1:0] :
        !last_column        ? BY_PIXEL[ADDRESS_BITS-1:0] : BY_LINE[ADDRESS_BITS-1:0];
    wire [ADDRESS_BITS:0]   there = {1'b0, address} + {1'b0, distance};
    wire [ADDRESS_BITS-1:0] wrapped;

    generate
        if (BUFFER_WORDS == 1 << ADDRESS_BITS) begin : power_of_two
            assign wrapped = there[ADDRESS_BITS-1:0];
            wire unused_carry = there[ADDRESS_BITS];
        end else begin : any_depth
            wire [ADDRESS_BITS:0] over = there - BUFFER_WORDS[ADDRESS_BITS:0];
            assign wrapped = over[ADDRESS_BITS] ? there[ADDRESS_BITS-1:0] : over[ADDRESS_BITS-1:0];
        end
    endgenerate

    always @(posedge clk)
        if (rst) address <= {ADDRESS_BITS{1'b0}};
        else if (next) address <= frame_ends ? {ADDRESS_BITS{1'b0}} : wrapped;
endmodule
