// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// Max pool over windows of whole pixels that do not overlap, a row of windows after the other.
//
// Program of a row of windows: KERNEL_HEIGHT times WIDTH steps that read, then IDLE_STEPS that do nothing;
// then WIDTH / KERNEL_WIDTH steps that write, then IDLE_STEPS that do nothing.
//
// Each window's largest so far stands in a line buffer; bits are put together with OR.

module max_pool #(
    parameter CHANNELS       = 1,
    parameter ELEMENT_BITS   = 1,
    parameter SIGNED         = 0,
    parameter HEIGHT         = 2,
    parameter WIDTH          = 2,
    parameter KERNEL_HEIGHT  = 2,
    parameter KERNEL_WIDTH   = 2,
    parameter IDLE_STEPS     = 3,
    parameter PIPELINE_DEPTH = 2,
    parameter FREEZES        = 0,
    parameter FRAME_BITS     = 32
) (
    input  wire                             clk,
    input  wire                             rst,
    input  wire [FRAME_BITS-1:0]            frames,
    input  wire                             in_valid,
    output wire                             in_ready,
    input  wire [CHANNELS*ELEMENT_BITS-1:0] in_data,
    output wire                             out_valid,
    input  wire                             out_ready,
    output wire [CHANNELS*ELEMENT_BITS-1:0] out_data
);
    localparam integer OUT_WIDTH    = WIDTH / KERNEL_WIDTH;
    localparam integer ROWS         = HEIGHT / KERNEL_HEIGHT; // of windows
    localparam integer ROW_LAST     = WIDTH + IDLE_STEPS - 1;
    localparam integer OUT_LAST     = OUT_WIDTH + IDLE_STEPS - 1;
    localparam integer COLUMN_BITS  = $clog2(ROW_LAST + 1) > 0 ? $clog2(ROW_LAST + 1) : 1;
    localparam integer ROW_BITS     = $clog2(KERNEL_HEIGHT + 1);
    localparam integer PLACE_BITS   = OUT_WIDTH > 1 ? $clog2(OUT_WIDTH) : 1;
    localparam integer LAST_PLACE   = OUT_WIDTH - 1;
    localparam integer WORD_BITS    = CHANNELS * ELEMENT_BITS;

    reg  [ROW_BITS-1:0]     row; // KERNEL_HEIGHT: the row that writes
    reg  [COLUMN_BITS-1:0]  column;
    reg  [PLACE_BITS-1:0]   place;     // of the window that a word read belongs to
    reg  [PLACE_BITS-1:0]   out_place; // of the window that leaves
    wire                    out_row = row == KERNEL_HEIGHT[ROW_BITS-1:0];
    wire                    in_row, in_out_row;
    wire                    row_ends = column == (out_row ? OUT_LAST[COLUMN_BITS-1:0]
                                                          : ROW_LAST[COLUMN_BITS-1:0]);
    wire                    reads  = !out_row & in_row;
    wire                    writes = out_row & in_out_row;
    wire                    last_in_window;
    wire                    run_over, step, advance;
    wire [PIPELINE_DEPTH:0] full;
    wire                    leaves = full[PIPELINE_DEPTH-1] & advance;

    below #(.BITS(COLUMN_BITS), .LIMIT(WIDTH)) reading (.value(column), .is_below(in_row));
    below #(.BITS(COLUMN_BITS), .LIMIT(OUT_WIDTH)) writing (.value(column), .is_below(in_out_row));

    frame_end #(.PASSES(ROWS), .COUNTS(FREEZES), .FRAME_BITS(FRAME_BITS)) counter (
        .clk(clk), .rst(rst), .frames(frames), .pass_ends(step & out_row & row_ends),
        .run_over(run_over));

    pipeline_control #(.PIPELINE_DEPTH(PIPELINE_DEPTH), .FREEZES(FREEZES)) control (
        .clk(clk), .rst(rst), .reads(reads), .writes(writes), .run_over(run_over),
        .in_valid(in_valid), .in_ready(in_ready), .out_valid(out_valid), .out_ready(out_ready),
        .step(step), .advance(advance), .full(full));

    turns #(.COUNT(KERNEL_WIDTH)) inside_window (
        .clk(clk), .rst(rst | step & row_ends), .next(step & reads), .last(last_in_window));

    // ---- the line buffer ----
    // Pixels right of the last whole window are read and forgotten.
    reg  in_a_window;
    reg  first_in_window;
    wire [PLACE_BITS-1:0] looked_at = full[PIPELINE_DEPTH-1] ? out_place : place;
    (* ram_style = "distributed" *) reg [WORD_BITS-1:0] largest [0:OUT_WIDTH-1];
    wire [WORD_BITS-1:0] so_far = largest[looked_at];
    wire [WORD_BITS-1:0] larger;
    reg  [WORD_BITS-1:0] exit;

    always @(posedge clk)
        if (rst) begin
            row             <= {ROW_BITS{1'b0}};
            column          <= {COLUMN_BITS{1'b0}};
            place           <= {PLACE_BITS{1'b0}};
            in_a_window     <= 1'b1;
            first_in_window <= 1'b1;
        end else if (step) begin
            column <= row_ends ? {COLUMN_BITS{1'b0}} : column + 1'b1;
            if (row_ends) begin
                row             <= out_row ? {ROW_BITS{1'b0}} : row + 1'b1;
                place           <= {PLACE_BITS{1'b0}};
                in_a_window     <= 1'b1;
                first_in_window <= 1'b1;
            end else if (reads) begin
                first_in_window <= last_in_window;
                if (last_in_window) begin
                    if (place == LAST_PLACE[PLACE_BITS-1:0]) in_a_window <= 1'b0;
                    else place <= place + 1'b1;
                end
            end
        end

    always @(posedge clk)
        if (rst) out_place <= {PLACE_BITS{1'b0}};
        else if (leaves)
            out_place <= out_place == LAST_PLACE[PLACE_BITS-1:0] ? {PLACE_BITS{1'b0}} : out_place + 1'b1;

    genvar c;
    generate
        if (ELEMENT_BITS == 1) begin : bits
            assign larger = so_far | in_data;
        end else begin : numbers
            for (c = 0; c < CHANNELS; c = c + 1) begin : channel
                wire [ELEMENT_BITS-1:0] a = so_far[c*ELEMENT_BITS +: ELEMENT_BITS];
                wire [ELEMENT_BITS-1:0] b = in_data[c*ELEMENT_BITS +: ELEMENT_BITS];
                wire a_larger = SIGNED != 0 ? $signed(a) > $signed(b) : a > b;
                assign larger[c*ELEMENT_BITS +: ELEMENT_BITS] = a_larger ? a : b;
            end
        end
    endgenerate

    wire begins = row == {ROW_BITS{1'b0}} & first_in_window;
    always @(posedge clk) if (step & reads & in_a_window) largest[looked_at] <= begins ? in_data : larger;
    always @(posedge clk) if (leaves) exit <= so_far;
    assign out_data = exit;
    wire unused_control = &{1'b0, full};
endmodule
