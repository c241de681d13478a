// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// Frame sink: hands words on to the outside, in every cycle in which one is there and wanted.

module frame_sink #(
    parameter WIDTH_BITS = 8
) (
    input  wire                  in_valid,
    output wire                  in_ready,
    input  wire [WIDTH_BITS-1:0] in_data,
    output wire                  out_valid,
    input  wire                  out_ready,
    output wire [WIDTH_BITS-1:0] out_data
);
    assign out_valid = in_valid;
    assign in_ready  = out_ready;
    assign out_data  = in_data;
endmodule
