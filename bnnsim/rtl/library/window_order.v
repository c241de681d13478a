// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// The order in which a sliding window puts out the words of a map.
//
// Program: for every output pixel (OUT_HEIGHT x OUT_WIDTH), group, kernel row, kernel column and channel
// fold of the group, the word of that pixel and fold. `address` is the word's number in the map, `slot`
// that number modulo RING_WORDS (its place in a ring buffer), `next_slot` what `slot` will be if `next`.
// `later_first` is the lowest number that the windows to come show, where `has_later`.

module window_order #(
    parameter CHANNEL_FOLD    = 1,
    parameter WIDTH           = 4,
    parameter KERNEL_HEIGHT   = 3,
    parameter KERNEL_WIDTH    = 3,
    parameter STRIDE_HEIGHT   = 1,
    parameter STRIDE_WIDTH    = 1,
    parameter DILATION_HEIGHT = 1,
    parameter DILATION_WIDTH  = 1,
    parameter GROUPS          = 1,
    parameter OUT_HEIGHT      = 2,
    parameter OUT_WIDTH       = 2,
    parameter RING_WORDS      = 16,
    parameter ADDRESS_BITS    = 5,
    parameter SLOT_BITS       = 4
) (
    input wire clk,
    input wire rst,
    input wire next,
    output reg [ADDRESS_BITS-1:0] address,
    output reg [SLOT_BITS-1:0] slot,
    output wire [SLOT_BITS-1:0] next_slot,
    output wire [ADDRESS_BITS-1:0] later_first,
    output wire has_later,
    output wire last
);
    localparam integer GROUP_FOLD = CHANNEL_FOLD / GROUPS;
    localparam integer COLUMN_STEP = DILATION_WIDTH * CHANNEL_FOLD - (GROUP_FOLD - 1);
    localparam integer ROW_STEP = DILATION_HEIGHT * WIDTH * CHANNEL_FOLD;
    localparam integer OUT_COLUMN_STEP = STRIDE_WIDTH * CHANNEL_FOLD;
    localparam integer OUT_ROW_STEP = STRIDE_HEIGHT * WIDTH * CHANNEL_FOLD;
    localparam integer FOLD_SLOTS = 1 % RING_WORDS;
    localparam integer COLUMN_SLOTS = COLUMN_STEP % RING_WORDS;
    localparam integer ROW_SLOTS = ROW_STEP % RING_WORDS;
    localparam integer GROUP_SLOTS = GROUP_FOLD % RING_WORDS;
    localparam integer OUT_COLUMN_SLOTS = OUT_COLUMN_STEP % RING_WORDS;
    localparam integer OUT_ROW_SLOTS = OUT_ROW_STEP % RING_WORDS;
    localparam [31:0] RING = RING_WORDS;

    wire fold_last, column_last, row_last, group_last, out_column_last, out_row_last;
    wire fold_ends = next & fold_last;
    wire column_ends = fold_ends & column_last;
    wire row_ends = column_ends & row_last;
    wire group_ends = row_ends & group_last;
    wire out_column_ends = group_ends & out_column_last;
    turns #(.COUNT(GROUP_FOLD)) fold (.clk(clk), .rst(rst), .next(next), .last(fold_last));
    turns #(.COUNT(KERNEL_WIDTH)) column (.clk(clk), .rst(rst), .next(fold_ends), .last(column_last));
    turns #(.COUNT(KERNEL_HEIGHT)) row (.clk(clk), .rst(rst), .next(column_ends), .last(row_last));
    turns #(.COUNT(GROUPS)) group (.clk(clk), .rst(rst), .next(row_ends), .last(group_last));
    turns #(.COUNT(OUT_WIDTH)) out_column (
        .clk(clk), .rst(rst), .next(group_ends), .last(out_column_last)
    );
    turns #(.COUNT(OUT_HEIGHT)) out_row (
        .clk(clk), .rst(rst), .next(out_column_ends), .last(out_row_last)
    );

    wire window_last = fold_last & column_last & row_last;
    assign has_later = ~(group_last & out_column_last & out_row_last);
    assign last = window_last & ~has_later;

    // where the current kernel row, group, window and row of windows begin
    reg [ADDRESS_BITS-1:0] row_start, group_start, window_start, out_row_start;
    reg [SLOT_BITS-1:0] row_slot, group_slot, window_slot, out_row_slot;

    wire [ADDRESS_BITS-1:0] later_base =
        ~group_last ? group_start : ~out_column_last ? window_start : out_row_start;
    wire [ADDRESS_BITS-1:0] later_step =
        ~group_last ? GROUP_FOLD[ADDRESS_BITS-1:0]
        : ~out_column_last ? OUT_COLUMN_STEP[ADDRESS_BITS-1:0] : OUT_ROW_STEP[ADDRESS_BITS-1:0];
    assign later_first = later_base + later_step;
    wire [SLOT_BITS-1:0] later_slot =
        ~group_last ? group_slot : ~out_column_last ? window_slot : out_row_slot;
    wire [SLOT_BITS-1:0] later_slots =
        ~group_last ? GROUP_SLOTS[SLOT_BITS-1:0]
        : ~out_column_last ? OUT_COLUMN_SLOTS[SLOT_BITS-1:0] : OUT_ROW_SLOTS[SLOT_BITS-1:0];

    wire row_goes_on = ~(fold_last & column_last);
    wire [ADDRESS_BITS-1:0] within_base = row_goes_on ? address : row_start;
    wire [ADDRESS_BITS-1:0] within_step =
        ~fold_last ? {{(ADDRESS_BITS - 1) {1'b0}}, 1'b1}
        : ~column_last ? COLUMN_STEP[ADDRESS_BITS-1:0] : ROW_STEP[ADDRESS_BITS-1:0];
    wire [ADDRESS_BITS-1:0] next_address =
        last ? {ADDRESS_BITS{1'b0}} : window_last ? later_first : within_base + within_step;

    wire [SLOT_BITS-1:0] within_slot = row_goes_on ? slot : row_slot;
    wire [SLOT_BITS-1:0] within_slots =
        ~fold_last ? FOLD_SLOTS[SLOT_BITS-1:0]
        : ~column_last ? COLUMN_SLOTS[SLOT_BITS-1:0] : ROW_SLOTS[SLOT_BITS-1:0];
    wire [SLOT_BITS:0] slot_sum = window_last
        ? {1'b0, later_slot} + {1'b0, later_slots} : {1'b0, within_slot} + {1'b0, within_slots};
    wire [SLOT_BITS-1:0] slot_after = slot_sum >= RING[SLOT_BITS:0]
        ? slot_sum[SLOT_BITS-1:0] - RING[SLOT_BITS-1:0] : slot_sum[SLOT_BITS-1:0];
    wire [SLOT_BITS-1:0] slot_next = last ? {SLOT_BITS{1'b0}} : slot_after;
    assign next_slot = next ? slot_next : slot;

    always @(posedge clk)
        if (rst) begin
            address <= {ADDRESS_BITS{1'b0}};
            slot <= {SLOT_BITS{1'b0}};
            row_start <= {ADDRESS_BITS{1'b0}};
            group_start <= {ADDRESS_BITS{1'b0}};
            window_start <= {ADDRESS_BITS{1'b0}};
            out_row_start <= {ADDRESS_BITS{1'b0}};
            row_slot <= {SLOT_BITS{1'b0}};
            group_slot <= {SLOT_BITS{1'b0}};
            window_slot <= {SLOT_BITS{1'b0}};
            out_row_slot <= {SLOT_BITS{1'b0}};
        end else begin
            slot <= next_slot;
            if (next) address <= next_address;
            if (column_ends) begin
                row_start <= next_address;
                row_slot <= slot_next;
            end
            if (row_ends) begin
                group_start <= next_address;
                group_slot <= slot_next;
            end
            if (group_ends) begin
                window_start <= next_address;
                window_slot <= slot_next;
            end
            if (out_column_ends) begin
                out_row_start <= next_address;
                out_row_slot <= slot_next;
            end
        end
endmodule
