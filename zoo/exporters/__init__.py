"""Models as files of other tools: ONNX and torch.export."""
