//! Protocol Buffers, as far as files for other tools need them.

/// A message of Protocol Buffers, encoded field by field
/// (<https://protobuf.dev/programming-guides/encoding>).
#[derive(Default)]
pub(crate) struct Message(Vec<u8>);

impl Message {
    /// As it is written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// The same with a message in a field.
    pub fn with_message(mut self, field: u64, message: Message) -> Message {
        self.message(field, message);
        self
    }

    /// The same with a text in a field.
    pub fn with_text(mut self, field: u64, text: &str) -> Message {
        self.bytes(field, text.as_bytes());
        self
    }

    /// With a number, which is left out if it is 0.
    pub fn with(mut self, field: u64, value: u64) -> Message {
        if value != 0 {
            self.number(field, value);
        }
        self
    }

    /// With a number, whatever it is.
    pub fn number(&mut self, field: u64, value: u64) {
        self.varint(field << 3);
        self.varint(value);
    }

    /// With a message.
    pub fn message(&mut self, field: u64, message: Message) {
        self.bytes(field, &message.0);
    }

    /// With numbers.
    pub fn packed(&mut self, field: u64, values: &[u64]) {
        let mut packed = Message::default();
        values.iter().for_each(|&value| packed.varint(value));
        self.message(field, packed);
    }

    /// With a text, or bytes.
    pub fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend(bytes);
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}
