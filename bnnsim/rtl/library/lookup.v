// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// Lookup: a function in a table of straight pieces, PE elements a word, each with a table of its own.
//
// Program: a step a word, which reads and writes one. Five stages: the place (the element less LOW, held
// within the table), the piece's value and rise, the product of the rise and the way through the piece,
// the sum, the exit.
//
// A place is a piece's number and SHIFT_BITS bits of the way through it. A word of the table holds the
// value at the beginning of a piece and, above it, the rise to its end.

module lookup #(
    parameter                   PE           = 1,
    parameter                   INPUT_BITS   = 8,
    parameter                   INPUT_SIGNED = 1,
    parameter                   INPUT_BIPOLAR = 0,
    parameter                   OUTPUT_BITS  = 8,
    parameter                   SEGMENTS     = 4,
    parameter                   SHIFT_BITS   = 2,
    parameter                   PLACE_BITS   = 12, // of an element less LOW, and of every place, with a sign
    parameter [PLACE_BITS-1:0]  LOW          = 0,
    parameter [PLACE_BITS-1:0]  MOST         = 15, // the last place
    parameter                   TABLE_FILE   = "table"
) (
    input  wire                      clk,
    input  wire                      rst,
    input  wire                      in_valid,
    output wire                      in_ready,
    input  wire [PE*INPUT_BITS-1:0]  in_data,
    output wire                      out_valid,
    input  wire                      out_ready,
    output wire [PE*OUTPUT_BITS-1:0] out_data
);
    localparam integer PIPELINE_DEPTH = 5;

    wire                    step, advance;
    wire [PIPELINE_DEPTH:0] full;
    wire                    unused_control = &{1'b0, step, full};

    pipeline_control #(.PIPELINE_DEPTH(PIPELINE_DEPTH), .FREEZES(0)) control (
        .clk(clk), .rst(rst), .reads(1'b1), .writes(1'b1), .run_over(1'b0),
        .in_valid(in_valid), .in_ready(in_ready), .out_valid(out_valid), .out_ready(out_ready),
        .step(step), .advance(advance), .full(full));

    genvar lane;
    generate
        for (lane = 0; lane < PE; lane = lane + 1) begin : element
            lookup_lane #(
                .INPUT_BITS(INPUT_BITS), .INPUT_SIGNED(INPUT_SIGNED), .INPUT_BIPOLAR(INPUT_BIPOLAR),
                .OUTPUT_BITS(OUTPUT_BITS), .SEGMENTS(SEGMENTS), .SHIFT_BITS(SHIFT_BITS),
                .PLACE_BITS(PLACE_BITS), .LOW(LOW), .MOST(MOST), .TABLE_FILE(TABLE_FILE)
            ) arithmetic (
                .clk(clk), .advance(advance), .full(full[4:0]),
                .operand(in_data[lane*INPUT_BITS +: INPUT_BITS]),
                .value(out_data[lane*OUTPUT_BITS +: OUTPUT_BITS]));
        end
    endgenerate
endmodule
