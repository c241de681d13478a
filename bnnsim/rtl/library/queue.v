// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// One-word queue that falls through: a word can leave in the cycle in which it comes; there is room where
// none was kept at the start of the cycle.

module queue #(
    parameter WIDTH_BITS = 8
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
    reg                  full;
    reg [WIDTH_BITS-1:0] word;
    wire                 keeps = in_valid & !full & !out_ready;

    assign in_ready  = !full;
    assign out_valid = full | in_valid;
    assign out_data  = full ? word : in_data;

    always @(posedge clk)
        if (rst) full <= 1'b0;
        else full <= keeps | (full & !out_ready);
    always @(posedge clk) if (keeps) word <= in_data;
endmodule
