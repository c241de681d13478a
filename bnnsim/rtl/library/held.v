// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// A register that moves with the pipeline, or (HOLDS 0) a wire.

module held #(
    parameter WIDTH_BITS = 8,
    parameter HOLDS      = 1
) (
    input  wire                  clk,
    input  wire                  advance,
    input  wire [WIDTH_BITS-1:0] given,
    output wire [WIDTH_BITS-1:0] value
);
    generate
        if (HOLDS != 0) begin : register
            reg [WIDTH_BITS-1:0] word;
            always @(posedge clk) if (advance) word <= given;
            assign value = word;
        end else begin : wires
            wire unused_control = clk & advance;
            assign value = given;
        end
    endgenerate
endmodule
