// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// Duplicate: writes each word to every output.
//
// Program: a step a word, which reads it and writes it to all outputs. One stage.

module duplicate #(
    parameter OUTPUTS    = 2,
    parameter WORDS      = 4,
    parameter WIDTH_BITS = 8,
    parameter FREEZES    = 0,
    parameter FRAME_BITS = 32
) (
    input  wire                  clk,
    input  wire                  rst,
    input  wire [FRAME_BITS-1:0] frames,
    input  wire                  in_valid,
    output wire                  in_ready,
    input  wire [WIDTH_BITS-1:0] in_data,
    output wire [OUTPUTS-1:0]    out_valid,
    input  wire [OUTPUTS-1:0]    out_ready,
    output wire [WIDTH_BITS-1:0] out_data
);
    wire       step, advance, run_over;
    wire [1:0] full;
    wire       unused_full = full[1];

    frame_end #(.PASSES(WORDS), .COUNTS(FREEZES), .FRAME_BITS(FRAME_BITS)) counter (
        .clk(clk), .rst(rst), .frames(frames), .pass_ends(step), .run_over(run_over));
    pipeline_control #(.PIPELINE_DEPTH(1), .FREEZES(FREEZES), .OUTPUTS(OUTPUTS)) control (
        .clk(clk), .rst(rst), .reads(1'b1), .writes(1'b1), .run_over(run_over),
        .in_valid(in_valid), .in_ready(in_ready), .out_valid(out_valid), .out_ready(out_ready),
        .step(step), .advance(advance), .full(full));

    reg [WIDTH_BITS-1:0] word;
    assign out_data = word;
    always @(posedge clk) if (full[0] & advance) word <= in_data;
endmodule
