"""A run as files for waveform and trace viewers, written without holding the run in memory."""
