"""What a point's figures will be, before it is judged: costs exactly, time without stalls."""
