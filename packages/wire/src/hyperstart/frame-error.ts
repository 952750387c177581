/**
 * Why a decoder stopped.
 * - `ERR_FRAME_LENGTH`: a frame's length field is below the header's size or above the decoder's maximum.
 * - `ERR_FRAME_HEADER`: a header says what its protocol does not know, or what is not the sender's to say.
 * - `ERR_FRAME_LOST`: what the frames were to go on from did not come.
 * - `ERR_FRAME_STOPPED`: bytes were pushed after such a frame and before `reset()`.
 */
export type FrameErrorCode = "ERR_FRAME_LENGTH" | "ERR_FRAME_HEADER" | "ERR_FRAME_LOST" | "ERR_FRAME_STOPPED";

/**
 * A byte stream that cannot be cut into frames any more. There is no way to find the next frame after a
 * wrong length, so the channel is lost: the decoder refuses further bytes until `reset()`.
 */
export class FrameError<Frame = unknown> extends Error {
  override readonly name = "FrameError";
  /** stable reason */
  readonly code: FrameErrorCode;
  /** complete frames of the same push that came before the bad one, oldest first */
  readonly frames: readonly Frame[];

  constructor(code: FrameErrorCode, message: string, frames: readonly Frame[] = []) {
    super(message);
    this.code = code;
    this.frames = frames;
  }
}
