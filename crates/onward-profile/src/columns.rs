//! Tables as Parquet files (<https://parquet.apache.org>), which pandas, Polars, DuckDB and Spark read.

use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use std::io::{self, Write};
use std::sync::Arc;

/// A column, or a piece of one.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// Texts.
    Text(Vec<String>),
    /// Whole numbers of 64 bits. Those from 2^63 on cannot be written; no count comes near.
    Whole(Vec<i64>),
    /// Whole numbers of 32 bits.
    Short(Vec<i32>),
    /// Real numbers.
    Real(Vec<f64>),
}

impl Column {
    fn kind(&self) -> &'static str {
        match self {
            Column::Text(_) => "BYTE_ARRAY",
            Column::Whole(_) => "INT64",
            Column::Short(_) => "INT32",
            Column::Real(_) => "DOUBLE",
        }
    }

    /// Its rows.
    pub fn len(&self) -> usize {
        match self {
            Column::Text(rows) => rows.len(),
            Column::Whole(rows) => rows.len(),
            Column::Short(rows) => rows.len(),
            Column::Real(rows) => rows.len(),
        }
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Writes a table piece by piece: rows of a piece are held in memory, those of others are not.
pub struct TableWriter<W: Write + Send> {
    writer: SerializedFileWriter<W>,
}

impl<W: Write + Send> TableWriter<W> {
    /// A table with these columns, each with a name and, as its kind, a column of that kind.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn new(columns: &[(&str, Column)], out: W) -> io::Result<TableWriter<W>> {
        let mut schema = String::from("message table {\n");
        for (name, column) in columns {
            let text = if matches!(column, Column::Text(_)) { " (UTF8)" } else { "" };
            schema += &format!("  REQUIRED {} {name}{text};\n", column.kind());
        }
        schema += "}";
        let schema = Arc::new(parse_message_type(&schema).map_err(failed)?);
        let made_by = concat!("onward ", env!("CARGO_PKG_VERSION")).to_owned();
        // Dictionaries and run lengths make these tables small already, and need no more libraries.
        let properties = WriterProperties::builder().set_compression(Compression::UNCOMPRESSED).set_created_by(made_by);
        let writer = SerializedFileWriter::new(out, schema, Arc::new(properties.build())).map_err(failed)?;
        Ok(TableWriter { writer })
    }

    /// Writes some rows: columns in the order and of the kinds of the table, all of the same length.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn rows(&mut self, columns: &[Column]) -> io::Result<()> {
        if columns.first().is_none_or(Column::is_empty) {
            return Ok(());
        }
        let mut group = self.writer.next_row_group().map_err(failed)?;
        columns.iter().try_for_each(|column| put(&mut group, column)).map_err(failed)?;
        group.close().map(drop).map_err(failed)
    }

    /// Ends the table.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(self) -> io::Result<W> {
        self.writer.into_inner().map_err(failed)
    }
}

fn put<W: Write + Send>(group: &mut SerializedRowGroupWriter<'_, W>, column: &Column) -> Result<(), ParquetError> {
    let Some(mut writer) = group.next_column()? else { return Ok(()) };
    match column {
        Column::Text(rows) => {
            let rows: Vec<ByteArray> = rows.iter().map(|row| ByteArray::from(row.as_str())).collect();
            writer.typed::<ByteArrayType>().write_batch(&rows, None, None)?;
        }
        Column::Whole(rows) => {
            writer.typed::<Int64Type>().write_batch(rows, None, None)?;
        }
        Column::Short(rows) => {
            writer.typed::<Int32Type>().write_batch(rows, None, None)?;
        }
        Column::Real(rows) => {
            writer.typed::<DoubleType>().write_batch(rows, None, None)?;
        }
    }
    writer.close()
}

fn failed(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(error) => io::Error::other(error),
        error => io::Error::other(error),
    }
}
