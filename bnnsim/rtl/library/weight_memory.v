// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// Weights of an MVAU: one memory, or (MEMORIES = PE) one a PE, each filled from a file of its own:
// <FILE>_pe0000 ... ROW_BITS are those that a PE takes in a step.

module weight_memory #(
    parameter PE           = 1,
    parameter ROW_BITS     = 1,
    parameter MEMORIES     = 1,
    parameter DEPTH_WORDS  = 2,
    parameter ADDRESS_BITS = 1,
    parameter FILE         = "weights"
) (
    input  wire                    clk,
    input  wire                    read,
    input  wire [ADDRESS_BITS-1:0] address,
    output wire [PE*ROW_BITS-1:0]  rows
);
    localparam integer BITS = PE * ROW_BITS / MEMORIES;

    genvar m;
    generate
        if (MEMORIES == 1) begin : one
            rom #(.WIDTH_BITS(BITS), .DEPTH_WORDS(DEPTH_WORDS), .ADDRESS_BITS(ADDRESS_BITS),
                  .FILE(FILE)) memory (.clk(clk), .read(read), .address(address), .word(rows));
        end else begin : one_a_pe
            for (m = 0; m < MEMORIES; m = m + 1) begin : pe
                localparam integer D0 = m % 10, D1 = m / 10 % 10, D2 = m / 100 % 10, D3 = m / 1000 % 10;
                rom #(.WIDTH_BITS(BITS), .DEPTH_WORDS(DEPTH_WORDS), .ADDRESS_BITS(ADDRESS_BITS),
                      .FILE({FILE, "_pe", 8'h30 + D3[7:0], 8'h30 + D2[7:0], 8'h30 + D1[7:0],
                             8'h30 + D0[7:0]})) memory (
                    .clk(clk), .read(read), .address(address), .word(rows[m*BITS +: BITS]));
            end
        end
    endgenerate
endmodule
