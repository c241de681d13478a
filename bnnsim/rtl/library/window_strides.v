// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// Which rows, or columns, complete a window: the first after REACH of them, then every STRIDE-th.

module window_strides #(
    parameter REACH  = 2,
    parameter STRIDE = 1
) (
    input  wire clk,
    input  wire rst,
    input  wire next,
    input  wire restart, // the map's last row, or the row's last column
    output wire completes
);
    localparam integer MOST = REACH > STRIDE - 1 ? REACH : STRIDE - 1;
    localparam integer BITS = $clog2(MOST + 2);
    localparam integer AGAIN = STRIDE - 1;

    reg [BITS-1:0] to_go;
    assign completes = to_go == {BITS{1'b0}};
    always @(posedge clk)
        if (rst) to_go <= REACH[BITS-1:0];
        else if (next) to_go <= restart ? REACH[BITS-1:0] : completes ? AGAIN[BITS-1:0] : to_go - 1'b1;
endmodule
