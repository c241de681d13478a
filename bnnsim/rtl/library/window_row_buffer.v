// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// Sliding-window unit with a buffer of a few rows (HLS library, since June 2017).
//
// Program of a frame: FILL steps that read KERNEL_HEIGHT rows. Then OUT_HEIGHT * (LAP + 1) steps, in which a
// counter runs 0 .. LAP - 1 over and over: read where it is below ROW_READS and words of the frame are
// left to read; write where it is below ROW_WRITES and words are left to write; both share the step. Then
// IDLE_STEPS that do nothing.
//
// The word that a step writes is looked up as it enters the exit, so the buffer holds a little more than
// the program alone would need: BUFFER_WORDS.

module window_row_buffer #(
    parameter CHANNELS       = 1,
    parameter HEIGHT         = 4,
    parameter WIDTH          = 4,
    parameter KERNEL_HEIGHT  = 2,
    parameter KERNEL_WIDTH   = 2,
    parameter STRIDE_HEIGHT  = 1,
    parameter STRIDE_WIDTH   = 1,
    parameter GROUPS         = 1,
    parameter LANES          = 1,
    parameter ELEMENT_BITS   = 1,
    parameter BUFFER_WORDS   = 16,
    parameter IDLE_STEPS     = 8,
    parameter PIPELINE_DEPTH = 4,
    parameter FREEZES        = 0,
    parameter FRAME_BITS     = 32
) (
    input  wire                          clk,
    input  wire                          rst,
    input  wire [FRAME_BITS-1:0]         frames,
    input  wire                          in_valid,
    output wire                          in_ready,
    input  wire [LANES*ELEMENT_BITS-1:0] in_data,
    output wire                          out_valid,
    input  wire                          out_ready,
    output wire [LANES*ELEMENT_BITS-1:0] out_data
);
    localparam integer CHANNEL_FOLD = CHANNELS / LANES;
    localparam integer OUT_HEIGHT   = (HEIGHT - KERNEL_HEIGHT) / STRIDE_HEIGHT + 1;
    localparam integer OUT_WIDTH    = (WIDTH - KERNEL_WIDTH) / STRIDE_WIDTH + 1;
    localparam integer WRITTEN_ROW  = OUT_WIDTH * KERNEL_HEIGHT * KERNEL_WIDTH * CHANNEL_FOLD;
    localparam integer READ_ROW     = STRIDE_HEIGHT * WIDTH * CHANNEL_FOLD;
    localparam integer LAP          = (WRITTEN_ROW > READ_ROW ? WRITTEN_ROW : READ_ROW) - 1;
    localparam integer ROW_READS    = READ_ROW - 1;
    localparam integer ROW_WRITES   = WRITTEN_ROW - 1;
    localparam integer FILL         = KERNEL_HEIGHT * WIDTH * CHANNEL_FOLD;
    localparam integer LAPPING_ENDS = FILL + OUT_HEIGHT * (LAP + 1);
    localparam integer LAST_STEP    = LAPPING_ENDS + IDLE_STEPS - 1;
    localparam integer TO_READ      = HEIGHT * WIDTH * CHANNEL_FOLD - FILL;
    localparam integer TO_WRITE     = OUT_HEIGHT * WRITTEN_ROW;
    localparam integer STEP_BITS    = $clog2(LAST_STEP + 1);
    localparam integer LAP_BITS     = $clog2(LAP + 1);
    localparam integer LAP_LAST     = LAP - 1;
    localparam integer READ_BITS    = $clog2(TO_READ + 1) > 0 ? $clog2(TO_READ + 1) : 1;
    localparam integer WRITE_BITS   = $clog2(TO_WRITE + 1);
    localparam integer ADDRESS_BITS = BUFFER_WORDS > 1 ? $clog2(BUFFER_WORDS) : 1;

    reg  [STEP_BITS-1:0]    position; // in the frame's program
    reg  [LAP_BITS-1:0]     lap;
    reg  [READ_BITS-1:0]    to_read;
    reg  [WRITE_BITS-1:0]   to_write;
    wire                    fills = position < FILL[STEP_BITS-1:0];
    wire                    laps  = !fills & position < LAPPING_ENDS[STEP_BITS-1:0];
    wire                    ends  = position == LAST_STEP[STEP_BITS-1:0];
    wire                    lap_reads, lap_writes;
    wire                    reads  = fills | laps & lap_reads & to_read != {READ_BITS{1'b0}};
    wire                    writes = laps & lap_writes & to_write != {WRITE_BITS{1'b0}};
    wire                    run_over, step, advance;
    wire [PIPELINE_DEPTH:0] full;

    below #(.BITS(LAP_BITS), .LIMIT(ROW_READS)) reading (.value(lap), .is_below(lap_reads));
    below #(.BITS(LAP_BITS), .LIMIT(ROW_WRITES)) writing (.value(lap), .is_below(lap_writes));

    frame_end #(.COUNTS(FREEZES), .FRAME_BITS(FRAME_BITS)) counter (
        .clk(clk), .rst(rst), .frames(frames), .pass_ends(step & ends), .run_over(run_over));

    pipeline_control #(.PIPELINE_DEPTH(PIPELINE_DEPTH), .FREEZES(FREEZES)) control (
        .clk(clk), .rst(rst), .reads(reads), .writes(writes), .run_over(run_over),
        .in_valid(in_valid), .in_ready(in_ready), .out_valid(out_valid), .out_ready(out_ready),
        .step(step), .advance(advance), .full(full));

    always @(posedge clk)
        if (rst | step & ends) begin
            position <= {STEP_BITS{1'b0}};
            lap      <= {LAP_BITS{1'b0}};
            to_read  <= TO_READ[READ_BITS-1:0];
            to_write <= TO_WRITE[WRITE_BITS-1:0];
        end else if (step) begin
            position <= position + 1'b1;
            if (laps) lap <= lap == LAP_LAST[LAP_BITS-1:0] ? {LAP_BITS{1'b0}} : lap + 1'b1;
            if (reads & !fills) to_read <= to_read - 1'b1;
            if (writes) to_write <= to_write - 1'b1;
        end

    // ---- the buffer, read as a word enters the exit ----
    wire                    leaves = full[PIPELINE_DEPTH-1] & advance;
    wire [ADDRESS_BITS-1:0] address;
    wire                    unused_end;

    window_walk #(
        .CHANNEL_FOLD(CHANNEL_FOLD), .GROUPS(GROUPS), .WIDTH(WIDTH),
        .KERNEL_HEIGHT(KERNEL_HEIGHT), .KERNEL_WIDTH(KERNEL_WIDTH),
        .STRIDE_HEIGHT(STRIDE_HEIGHT), .STRIDE_WIDTH(STRIDE_WIDTH),
        .OUT_HEIGHT(OUT_HEIGHT), .OUT_WIDTH(OUT_WIDTH),
        .BUFFER_WORDS(BUFFER_WORDS), .ADDRESS_BITS(ADDRESS_BITS)
    ) walk (.clk(clk), .rst(rst), .next(leaves), .address(address), .frame_ends(unused_end));

    window_buffer #(
        .WIDTH_BITS(LANES*ELEMENT_BITS), .BUFFER_WORDS(BUFFER_WORDS), .ADDRESS_BITS(ADDRESS_BITS)
    ) buffer (
        .clk(clk), .rst(rst), .write(step & reads), .frame_ends(step & ends), .in_data(in_data),
        .read(leaves), .address(address), .word(out_data));
    wire unused_control = &{1'b0, full};
endmodule
